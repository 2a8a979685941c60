// SPDX-License-Identifier: Apache-2.0
// JSON text to a BSON document, in one pass and as plain data: {"$oid": …} or {"$date": …} is an
// object with an odd key, never another type, whoever wrote it.
//
//   integer                    int64; beyond int64 the digits as text
//   number with point or e     double, rounded as IEEE 754 does; beyond double its text
//   text, true, null           the same; a lone surrogate (\ud800) becomes U+FFFD
//   text at a path of `dates`  date, in milliseconds: finer digits are cut towards the past
//
// Of a repeated key the last one counts. Pure; any thread; safe on any bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::mongo {

inline constexpr std::size_t kLargestDocument = 16 << 20;  // what a server takes
inline constexpr int kDeepestDocument = 100;

// What happens to a "." anywhere in a key and to "$" at its beginning.
enum class BadKeys : std::uint8_t {
  escape,  // U+FF0E and U+FF04 stand for them
  reject,
};

struct DatePath {
  std::string path;       // "seen", "event.at": objects by dots, all items of a list
  bool required = false;  // what is neither RFC 3339 text nor null is a fault; else it stays
};

struct DocumentRules {
  BadKeys bad_keys = BadKeys::escape;
  std::vector<DatePath> dates;
};

struct DocumentFault {
  const char* code;  // bad-json, bad-utf8, bad-key, bad-time, too-deep, too-large
  std::string reason;
};

// Appends the document of the JSON object `json` with `id` (UTF-8) as its _id, in place of one
// that the object has itself. After a fault what was appended is unspecified.
std::optional<DocumentFault> append_document(std::string_view json, std::string_view id,
                                             const DocumentRules& rules, std::string& out);

}  // namespace streamd::mongo
