// SPDX-License-Identifier: Apache-2.0
// Named<T>: one entry of a map whose keys are names of the pipeline (a node, a list, a variable),
// with the place of the name, so that a wrong one can be pointed at.
#pragma once

#include "engine/api/field_type.h"
#include "engine/api/spec.h"

#include <string>
#include <utility>
#include <vector>

namespace streamd {
namespace testing {

template <class T>
struct Named {
  std::string name;
  Place place;  // of the name
  T value{};
};
template <class T>
using NamedList = std::vector<Named<T>>;

template <class T>
const T* find(const NamedList<T>& entries, const std::string& name) {
  for (const auto& entry : entries)
    if (entry.name == name) return &entry.value;
  return nullptr;
}

}  // namespace testing

template <class T>
struct FieldType<std::vector<testing::Named<T>>> {
  using List = std::vector<testing::Named<T>>;
  static bool read(const ConfigNode& node, List& into, Diagnostics& problems) {
    into.clear();
    if (node.shape != ConfigNode::Shape::map) {
      report_type(node, name(), problems);
      return false;
    }
    bool good = true;
    for (const auto& [key, value] : node.entries) {
      testing::Named<T> entry{key.text, key.place, {}};
      if (FieldType<T>::read(value, entry.value, problems))
        into.push_back(std::move(entry));
      else
        good = false;
    }
    return good;
  }
  static std::string name() { return "map of " + FieldType<T>::name(); }
  static std::string json_schema() {
    return R"({"type":"object","additionalProperties":)" + FieldType<T>::json_schema() + "}";
  }
  static std::string show(const List&) { return ""; }
};

}  // namespace streamd
