// SPDX-License-Identifier: Apache-2.0
#include "operators/field_paths.h"

#include <vector>

namespace streamd {

bool covers(std::string_view field, std::string_view path) {
  return path == field ||
         (path.size() > field.size() && path.starts_with(field) && path[field.size()] == '.');
}

bool is_unknown(const Schema& in, const std::string& field) {
  return !in.find(field) && (!in.open || in.is_hidden(field));
}

void report_unknown_field(const Schema& in, const std::string& field, Place place,
                          Diagnostics& problems) {
  std::vector<std::string> known;
  for (const Field& f : in.fields) known.push_back(f.name);
  const std::string near = closest(field, known);
  problems.error("unknown-field", place, "there is no field \"" + field + "\" here",
                 near.empty() ? "" : "Did you mean \"" + near + "\"?");
}

}  // namespace streamd
