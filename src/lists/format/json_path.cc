// SPDX-License-Identifier: Apache-2.0
#include "lists/format/json_path.h"

#include "engine/expr/json_reader.h"

namespace streamd {

std::optional<JsonPath> JsonPath::parse(std::string_view text) {
  JsonPath path;
  while (!text.empty()) {
    const std::size_t dot = text.find('.');
    std::string_view part = text.substr(0, dot);
    std::size_t arrays = 0;
    for (; part.ends_with("[]"); part.remove_suffix(2)) ++arrays;
    if (part.find_first_of("[]") != std::string_view::npos) return std::nullopt;
    if (part.empty() && (arrays == 0 || !path.steps_.empty())) return std::nullopt;
    if (part == "*")
      path.steps_.push_back({Step::Kind::values, {}});
    else if (!part.empty())
      path.steps_.push_back({Step::Kind::name, std::string(part)});
    path.steps_.insert(path.steps_.end(), arrays, {Step::Kind::elements, {}});
    if (dot == std::string_view::npos) break;
    text.remove_prefix(dot + 1);
    if (text.empty()) return std::nullopt;
  }
  return path;
}

void JsonPath::walk(const Value& at, std::size_t step,
                    const std::function<void(const Value&)>& to) const {
  if (step == steps_.size()) {
    if (!at.absent()) to(at);
    return;
  }
  switch (steps_[step].kind) {
    case Step::Kind::name: walk(expr::member(at, steps_[step].name), step + 1, to); break;
    case Step::Kind::elements:
      if (!at.is(Kind::list)) return;
      for (std::uint32_t i = 0; i < at.size(); ++i) walk(at.items()[i], step + 1, to);
      break;
    case Step::Kind::values:
      if (!at.is(Kind::map)) return;
      for (std::uint32_t i = 0; i < at.size(); ++i) walk(at.items()[2 * i + 1], step + 1, to);
      break;
  }
}

bool JsonPath::meets_empty(const Value& at, std::size_t step) const {
  if (step == steps_.size()) return false;
  const Step::Kind kind = steps_[step].kind;
  if (kind == Step::Kind::name) return meets_empty(expr::member(at, steps_[step].name), step + 1);
  const bool values = kind == Step::Kind::values;
  if (!at.is(values ? Kind::map : Kind::list)) return false;
  if (at.size() == 0) return true;
  for (std::uint32_t i = 0; i < at.size(); ++i)
    if (meets_empty(at.items()[values ? 2 * i + 1 : i], step + 1)) return true;
  return false;
}

Value JsonPath::first(const Value& root) const {
  Value found = Value::missing();
  each(root, [&](const Value& value) {
    if (found.is(Kind::missing)) found = value;
  });
  return found;
}

}  // namespace streamd
