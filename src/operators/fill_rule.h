// SPDX-License-Identifier: Apache-2.0
// What `fill` may be told about one field: `tcp`, {value: tcp}, {from: a.b} or {last: true}.
#pragma once

#include "engine/api/field_type.h"
#include "engine/core/value.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace streamd {

enum class FillWhen { missing, null, empty };
template <>
struct EnumNames<FillWhen> {
  static constexpr std::array<std::pair<FillWhen, std::string_view>, 3> values = {
      {{FillWhen::missing, "missing"}, {FillWhen::null, "null"}, {FillWhen::empty, "empty"}}};
};

struct FillRule {
  ConfigNode value;  // a scalar, when neither of the others
  std::optional<ExprText> from;
  bool last = false;

  // As YAML means it: bool, int, double, null, else text (always when quoted). The text lives as
  // long as this object.
  Value constant() const;
};

template <>
struct FieldType<FillRule> {
  static bool read(const ConfigNode& node, FillRule& into, Diagnostics& problems);
  static std::string name();
  static std::string json_schema();
  static std::string show(const FillRule& value);
};

}  // namespace streamd
