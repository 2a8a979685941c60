// SPDX-License-Identifier: Apache-2.0
// The settings of operator match. Private to it.
#pragma once

#include "engine/api/spec.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd::match {

enum class Keep { matched, unmatched, all };

// As in the file: `field` and `fields`, `list` and `lists` mean the same.
struct Written {
  std::vector<std::string> field, fields, list, lists, allow;
  Keep keep = Keep::matched;
  std::string as = "match";
};

struct Config {
  std::vector<std::string> fields, lists, allow;
  std::string fields_key, lists_key;  // which of the two was written
  Keep keep = Keep::matched;
  std::string as;
};

const Spec<Written>& spec();
// nullopt after it reported.
std::optional<Config> settled(Written written, const ConfigNode& node, Diagnostics& problems);

}  // namespace streamd::match

namespace streamd {
template <>
struct EnumNames<match::Keep> {
  static constexpr std::array<std::pair<match::Keep, std::string_view>, 3> values = {
      {{match::Keep::matched, "matched"},
       {match::Keep::unmatched, "unmatched"},
       {match::Keep::all, "all"}}};
};
}  // namespace streamd
