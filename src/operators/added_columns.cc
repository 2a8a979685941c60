// SPDX-License-Identifier: Apache-2.0
#include "operators/added_columns.h"

#include "engine/api/field_paths.h"
#include "engine/core/arena.h"

#include <algorithm>
#include <utility>

namespace streamd {

void AddedColumns::take_from(Needs& needs) const {
  for (const Field& added : fields_)
    std::erase_if(needs.fields, [&](const auto& field) { return covers(added.name, field); });
}

Schema AddedColumns::bind(const Schema& in, Place place, const char* option,
                          Diagnostics& problems) {
  Schema out = in;
  std::vector<std::string> names;
  first_ = in.fields.size();
  for (const Field& added : fields_) {
    if (in.find(added.name))
      problems.error("duplicate-name", place, "there is a field \"" + added.name + "\" already",
                     std::string("Choose another name with ") + option + ".");
    std::erase(out.hidden, added.name);
    out.fields.push_back(added);
    names.push_back(added.name);
  }
  outer_.bind(out, names);
  return out;
}

AddedColumns::Made AddedColumns::make(const Batch& in) const {
  Made made;
  for (std::size_t f = 0; f < fields_.size(); ++f)
    made.push_back(std::make_shared<Column>(in.physical_rows()));
  return made;
}

Batch AddedColumns::join(const Batch& in, Made made) const {
  std::vector<ColumnPtr> columns = in.columns();
  columns.resize(first_);
  for (auto& column : made) columns.push_back(std::move(column));
  Batch joined = in.with_columns(std::move(columns));
  if (outer_.empty()) return joined;
  auto arena = std::make_shared<Arena>();
  joined = outer_.update(std::move(joined), *arena);
  joined.keep(std::move(arena));
  return joined;
}

}  // namespace streamd
