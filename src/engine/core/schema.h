// SPDX-License-Identifier: Apache-2.0
// Schema: what the planner knows about the records on one edge of the pipeline: the columns in
// order, and whether the record's other fields live in its raw bytes.
#pragma once

#include "engine/core/value.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

class ListScope;  // match/list_slot.h
namespace expr {
class FunctionScope;  // expr/function_scope.h
}

struct Field {
  std::string name;
  Type type = Type::any;
  // The column differs from what the raw bytes say (set, converted or renamed): an encoder must
  // write the column, not the bytes.
  bool derived = false;
};

struct Schema {
  std::vector<Field> fields;  // index = column index in every Batch on this edge
  // open: fields that are no column still live in the raw JSON bytes of each record.
  // closed: the columns are all there is (window results, parsed access logs, `keep`).
  bool open = false;
  // Only when open: names that the raw bytes hold but the record no longer has (removed, renamed).
  std::vector<std::string> hidden;
  // The indicator lists that expressions bound to this schema may name; null: there are none. The
  // planner sets it at every node; who makes a schema for expressions of its own copies it.
  std::shared_ptr<const ListScope> lists = nullptr;
  // The same for functions that are not built in.
  std::shared_ptr<const expr::FunctionScope> functions = nullptr;

  std::optional<std::size_t> find(std::string_view name) const {
    for (std::size_t i = 0; i < fields.size(); ++i)
      if (fields[i].name == name) return i;
    return std::nullopt;
  }
  bool is_hidden(std::string_view name) const {
    for (const auto& h : hidden)
      if (h == name) return true;
    return false;
  }
  // True when the raw bytes are the record: a sink that writes JSON may copy them.
  bool raw_is_exact() const {
    if (!open || !hidden.empty()) return false;
    for (const auto& f : fields)
      if (f.derived) return false;
    return true;
  }
};

}  // namespace streamd
