// SPDX-License-Identifier: Apache-2.0
// Uri: mongodb:// or mongodb+srv://, checked. It holds a password: nothing but its hosts is ever
// shown. Plain data; a config field of this type is checked with its place.
#pragma once

#include "engine/api/field_type.h"
#include "engine/core/error.h"

#include <string>
#include <string_view>

namespace streamd::mongo {

struct Uri {
  std::string text;      // secret
  std::string hosts;     // "a:27017, b:27017", for people
  std::string database;  // the one in its path; empty = none
  std::string password;  // decoded; to be kept out of messages

  // Error (config): what is wrong, without the text. Opens no socket, asks no DNS.
  static Result<Uri> parse(std::string_view text);
};

// `text` with every occurrence of the URI's secrets replaced.
std::string without_secrets(std::string text, const Uri& uri);

}  // namespace streamd::mongo

namespace streamd {

template <>
struct FieldType<mongo::Uri> {
  static bool read(const ConfigNode& node, mongo::Uri& into, Diagnostics& problems);
  static std::string name() { return "MongoDB URI"; }
  static std::string json_schema();
  static std::string show(const mongo::Uri&) { return ""; }
};

}  // namespace streamd
