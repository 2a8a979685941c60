// SPDX-License-Identifier: Apache-2.0
// The parts of a URL, and percent-decoding. Safe on any bytes.
//
// This reads what logs hold: whole URLs, and paths with a query alone. The HTTP client's own and
// much stricter reader is io/http/url.h.
#pragma once

#include "engine/codec/text_pairs.h"
#include "engine/core/arena.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace streamd {

// Slices of the text (scheme and host, if they hold capitals: of the arena). data() == nullptr: the
// URL has no such part.
struct UrlParts {
  std::string_view scheme, user, host, path, query, fragment;
  std::optional<std::uint16_t> port;  // as written; none when it is left to the scheme
};

// scheme://[user[:password]@]host[:port][/path][?query][#fragment], //host…, /path…, or
// scheme:anything (which is then the path). The password is not given. Brackets of an IPv6 host are
// taken off; scheme and host are in small letters. False, with `why` for people: no URL.
bool read_url(std::string_view text, Arena& arena, UrlParts& parts, std::string& why);

// %41 becomes A, and + a blank when asked; other % stay. What is no UTF-8 then is repaired with
// U+FFFD. A slice of the text when there is nothing to do.
std::string_view percent_decoded(std::string_view text, bool plus_is_blank, Arena& arena);

// a=1&b=2, decoded. A key without "=" has the value "". At most kMaxTextPairs; false: there are
// more, which are left out.
bool read_query(std::string_view query, Arena& arena, TextPairs& pairs);

}  // namespace streamd
