// SPDX-License-Identifier: Apache-2.0
#include "engine/api/field_paths.h"

#include <algorithm>
#include <vector>

namespace streamd {

bool covers(std::string_view field, std::string_view path) {
  return path == field ||
         (path.size() > field.size() && path.starts_with(field) && path[field.size()] == '.');
}

std::string_view path_inside(std::string_view field, std::string_view path) {
  return path != field && covers(field, path) ? path.substr(field.size() + 1) : std::string_view();
}

bool lies_in_column(const Schema& in, std::string_view path) {
  return std::any_of(in.fields.begin(), in.fields.end(), [&](const Field& field) {
    return field.name != path && covers(field.name, path);
  });
}

void refuse_inside(const Schema& in, const std::string& field, Place place, Diagnostics& problems) {
  if (lies_in_column(in, field)) require_field(in, field, place, problems);
}

void require_field(const Schema& in, const std::string& field, Place place, Diagnostics& problems) {
  if (in.find(field)) return;
  for (const Field& f : in.fields)
    if (f.derived && covers(f.name, field)) {
      problems.error("unknown-field", place,
                     "\"" + field + "\" lies inside \"" + f.name + "\", which a node before makes",
                     "Take it out with a map before: set: {x: " + field + "}.");
      return;
    }
  const bool hidden = std::any_of(in.hidden.begin(), in.hidden.end(),
                                  [&](const std::string& h) { return covers(h, field); });
  if (in.open && !hidden) return;
  std::vector<std::string> known;
  for (const Field& f : in.fields) known.push_back(f.name);
  const std::string near = closest(field, known);
  problems.error("unknown-field", place, "there is no field \"" + field + "\" here",
                 near.empty() ? "" : "Did you mean \"" + near + "\"?");
}

}  // namespace streamd
