// SPDX-License-Identifier: Apache-2.0
#include "operators/outer_objects.h"

#include "engine/api/field_paths.h"
#include "engine/codec/object_changes.h"

#include <algorithm>
#include <utility>

namespace streamd {

ColumnPtr with_inner(const Batch& in, const Column& objects, const std::vector<InnerField>& fields,
                     Arena& arena) {
  auto column = std::make_shared<Column>(objects);
  std::vector<char> written(fields.size());
  std::vector<ObjectChange> changes(fields.size());
  for (std::size_t f = 0; f < fields.size(); ++f)
    changes[f] = {fields[f].path, nullptr, &written[f]};
  std::string text;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::uint32_t row = in.physical(i);
    for (std::size_t f = 0; f < fields.size(); ++f)
      changes[f].value = fields[f].column ? &(*fields[f].column)[row] : nullptr;
    std::fill(written.begin(), written.end(), 0);
    (*column)[row] = changed_object((*column)[row], changes, arena, text);
  }
  return column;
}

void OuterObjects::bind(const Schema& out, const std::vector<std::string>& changed) {
  outer_.clear();
  for (std::size_t c = 0; c < out.fields.size(); ++c) {
    Outer outer{c, {}};
    for (const std::string& field : changed) {
      const std::string_view path = path_inside(out.fields[c].name, field);
      if (!path.empty()) outer.fields.push_back({std::string(path), out.find(field)});
    }
    if (!outer.fields.empty()) outer_.push_back(std::move(outer));
  }
}

Batch OuterObjects::update(Batch made, Arena& arena) const {
  if (outer_.empty()) return made;
  std::vector<ColumnPtr> columns = made.columns();
  for (const Outer& outer : outer_) {
    std::vector<InnerField> fields;
    for (const Inner& inner : outer.fields)
      fields.push_back({inner.path, inner.column ? made.column(*inner.column) : nullptr});
    columns[outer.column] = with_inner(made, *made.column(outer.column), fields, arena);
  }
  return made.with_columns(std::move(columns));
}

}  // namespace streamd
