// SPDX-License-Identifier: Apache-2.0
// FieldType<T>: how a configuration field of C++ type T is read from YAML, described and printed.
// A component with a type of its own specialises it; enums only name their values (EnumNames).
#pragma once

#include "engine/api/config_node.h"
#include "engine/core/time.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd {

struct ByteSize {
  std::uint64_t bytes = 0;
  constexpr auto operator<=>(const ByteSize&) const = default;
};

// CEL text with its place; compiled when the input schema is known (expr/expression.h).
struct ExprText {
  std::string text;
  ConfigNode where;
};
// Text with {{ expression }} holes (expr/template.h).
struct TemplateText {
  std::string text;
  ConfigNode where;
};

// "30s", "500ms", "1h30m", "2d"; ms s m h d us. nullopt: not a duration.
std::optional<Duration> parse_duration(std::string_view text);
std::string format_duration(Duration d);  // shortest form that parses back
// "512", "64KiB", "16MiB", "1GB". nullopt: not a size.
std::optional<ByteSize> parse_size(std::string_view text);
std::string format_size(ByteSize s);  // shortest form that parses back, of a setting
// Of something that was measured, for people: "12 bytes", "1.5 KiB", "127 KiB".
std::string readable_size(std::uint64_t bytes);

template <class T>
struct FieldType;  // static bool read(const ConfigNode&, T&, Diagnostics&); on false it has
                   // reported static std::string name(); static std::string json_schema(); static
                   // std::string show(const T&);  "" = no default to show

#define STREAMD_FIELD_TYPE(T)                                        \
  template <>                                                        \
  struct FieldType<T> {                                              \
    static bool read(const ConfigNode& node, T& into, Diagnostics&); \
    static std::string name();                                       \
    static std::string json_schema();                                \
    static std::string show(const T& value);                         \
  }
STREAMD_FIELD_TYPE(std::string);
STREAMD_FIELD_TYPE(bool);
STREAMD_FIELD_TYPE(std::int64_t);
STREAMD_FIELD_TYPE(std::uint64_t);
STREAMD_FIELD_TYPE(double);
STREAMD_FIELD_TYPE(Duration);
STREAMD_FIELD_TYPE(ByteSize);
STREAMD_FIELD_TYPE(ExprText);
STREAMD_FIELD_TYPE(TemplateText);
STREAMD_FIELD_TYPE(ConfigNode);  // any value; the component reads it itself
#undef STREAMD_FIELD_TYPE

// Reports "expected WHAT, got …" at the node. Never echoes substituted text.
void report_type(const ConfigNode& node, std::string_view expected, Diagnostics& problems);
// What to do where YAML gave nothing and one of the `known` texts is null; else empty.
std::string null_hint(const std::vector<std::string>& known);
void report_choice(const ConfigNode& node, const std::vector<std::string>& known,
                   Diagnostics& problems);
std::string json_quote(std::string_view text);
// The JSON schema of a scalar that may also be a ${VARIABLE}.
std::string or_variable(std::string_view schema);

template <class T>
struct FieldType<std::optional<T>> {
  static bool read(const ConfigNode& node, std::optional<T>& into, Diagnostics& problems) {
    T value{};
    if (!FieldType<T>::read(node, value, problems)) return false;
    into = std::move(value);
    return true;
  }
  static std::string name() { return FieldType<T>::name(); }
  static std::string json_schema() { return FieldType<T>::json_schema(); }
  static std::string show(const std::optional<T>& v) { return v ? FieldType<T>::show(*v) : ""; }
  static auto nested() requires requires { FieldType<T>::nested(); }
  { return FieldType<T>::nested(); }
};

// A single value is accepted as a list of one.
template <class T>
struct FieldType<std::vector<T>> {
  static bool read(const ConfigNode& node, std::vector<T>& into, Diagnostics& problems) {
    into.clear();
    bool good = true;
    const auto one = [&](const ConfigNode& item) {
      T value{};
      if (FieldType<T>::read(item, value, problems))
        into.push_back(std::move(value));
      else
        good = false;
    };
    if (node.shape == ConfigNode::Shape::list) {
      for (const auto& item : node.items) one(item);
    } else {
      one(node);
    }
    return good;
  }
  static std::string name() { return "list of " + FieldType<T>::name(); }
  static std::string json_schema() {
    const std::string item = FieldType<T>::json_schema();
    return R"({"anyOf":[{"type":"array","items":)" + item + "}," + item + "]}";
  }
  static std::string show(const std::vector<T>& v) {
    if (v.empty()) return "";
    std::string out = "[";
    for (const auto& x : v) out += (out.size() > 1 ? ", " : "") + FieldType<T>::show(x);
    return out + "]";
  }
};

// A map in the order of the file.
template <class T>
struct FieldType<std::vector<std::pair<std::string, T>>> {
  using Map = std::vector<std::pair<std::string, T>>;
  static bool read(const ConfigNode& node, Map& into, Diagnostics& problems) {
    into.clear();
    if (node.shape != ConfigNode::Shape::map) {
      report_type(node, name(), problems);
      return false;
    }
    bool good = true;
    for (const auto& [k, v] : node.entries) {
      T value{};
      if (FieldType<T>::read(v, value, problems))
        into.emplace_back(k.text, std::move(value));
      else
        good = false;
    }
    return good;
  }
  static std::string name() { return "map of " + FieldType<T>::name(); }
  static std::string json_schema() {
    return R"({"type":"object","additionalProperties":)" + FieldType<T>::json_schema() + "}";
  }
  static std::string show(const Map& v) {
    if (v.empty()) return "";
    std::string out = "{";
    for (const auto& [k, x] : v)
      out += (out.size() > 1 ? ", " : "") + k + ": " + FieldType<T>::show(x);
    return out + "}";
  }
};

// Specialise for an enum: static constexpr std::array<std::pair<E, std::string_view>, N> values.
template <class E>
struct EnumNames;

template <class E>
requires requires { EnumNames<E>::values; }
struct FieldType<E> {
  static std::vector<std::string> names() {
    std::vector<std::string> out;
    for (const auto& [value, text] : EnumNames<E>::values) out.emplace_back(text);
    return out;
  }
  static bool read(const ConfigNode& node, E& into, Diagnostics& problems) {
    for (const auto& [value, text] : EnumNames<E>::values)
      if (node.shape == ConfigNode::Shape::scalar && node.text == text) {
        into = value;
        return true;
      }
    report_choice(node, names(), problems);
    return false;
  }
  static std::string name() {
    std::string out;
    for (const auto& n : names()) out += (out.empty() ? "one of " : ", ") + n;
    return out;
  }
  static std::string json_schema() {
    std::string out;
    for (const auto& n : names()) {
      out += (out.empty() ? "" : ",") + json_quote(n);
      // To an editor's YAML reader 1 is a number.
      if (n.find_first_not_of("-0123456789") == std::string::npos) out += "," + n;
    }
    return or_variable(R"({"enum":[)" + out + "]}");
  }
  static std::string show(const E& v) {
    for (const auto& [value, text] : EnumNames<E>::values)
      if (value == v) return std::string(text);
    return "";
  }
};

}  // namespace streamd
