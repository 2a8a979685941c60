// SPDX-License-Identifier: Apache-2.0
// What a pipeline file says of a window node, and the declaration of its fields.
#pragma once

#include "engine/api/spec.h"
#include "operators/window/assigner.h"
#include "operators/window/rules.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace streamd::window {

// {tumbling: 1m} | {sliding: 20s, every: 1s} | {session: {gap: 30s, max: 1h}}
struct Kind {
  Assigner assigner;
};

struct Config {
  Kind window;
  std::vector<std::string> by;
  std::optional<ExprText> where;
  std::vector<std::pair<std::string, ExprText>> compute;
  std::optional<ExprText> having;
  Emit emit = Emit::close;
  std::uint64_t max_keys = 10'000'000;
  OnFull on_full = OnFull::refuse;
};

Spec<Config> window_spec();

// One entry of `compute`, taken apart: sum(bytes / 1024) is sum of the expression bytes / 1024.
struct ComputeCall {
  std::string name;
  Function function = Function::count;
  std::optional<ExprText> input;
  double argument = 0;
  std::string text;  // canonical: function, expression and argument
};
// Reports what is wrong with its place; nullopt then.
std::optional<ComputeCall> parse_compute(const std::string& name, const ExprText& text,
                                         Diagnostics& problems);

}  // namespace streamd::window

namespace streamd {

template <>
struct EnumNames<window::Emit> {
  static constexpr std::array<std::pair<window::Emit, std::string_view>, 3> values = {{
      {window::Emit::close, "close"},
      {window::Emit::threshold, "threshold"},
      {window::Emit::changed, "changed"},
  }};
};
template <>
struct EnumNames<window::OnFull> {
  static constexpr std::array<std::pair<window::OnFull, std::string_view>, 2> values = {{
      {window::OnFull::refuse, "refuse"},
      {window::OnFull::evict, "evict"},
  }};
};
template <>
inline constexpr bool kNamesFields<window::Kind> = false;
template <>
struct FieldType<window::Kind> {
  static bool read(const ConfigNode& node, window::Kind& into, Diagnostics& problems);
  static std::string name();
  static std::string json_schema();
  static std::string show(const window::Kind& value);
};

}  // namespace streamd
