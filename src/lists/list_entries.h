// SPDX-License-Identifier: Apache-2.0
// The `entries` key of lists that are written by hand.
#pragma once

#include "engine/api/field_type.h"
#include "lists/list_lines.h"

namespace streamd {

template <>
struct EnumNames<ListEntries> {
  static constexpr std::array<std::pair<ListEntries, std::string_view>, 4> values = {
      {{ListEntries::automatic, "auto"},
       {ListEntries::ip, "ip"},
       {ListEntries::domain, "domain"},
       {ListEntries::text, "text"}}};
};

inline constexpr const char* kEntriesHelp =
    "What the entries are. `auto` looks at each: an address or network (`192.0.2.7`, "
    "`10.0.0.0/8`, `2001:db8::/32`), a domain when it has a dot and no other signs than a domain "
    "may have (it stands for all names below it, too), otherwise a text that has to be equal. What "
    "is meant as addresses and is none (`192.0.2.*`, `192.0.2.1-9`, an address with more behind "
    "it) is a broken entry. "
    "With `ip` or `domain` anything else is a broken entry; with `text` every entry is a text.";

}  // namespace streamd
