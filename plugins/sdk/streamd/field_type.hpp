// SPDX-License-Identifier: Apache-2.0
// Which C++ types a member of a config struct may have, and what each of them is in YAML.
#pragma once

#include "value.hpp"

#include <charconv>
#include <cstddef>
#include <string>
#include <type_traits>
#include <vector>

namespace sd {

// A number of bytes: 64, 16KiB, 1GB.
struct Bytes {
  std::int64_t count = 0;
};

// Operators and sinks: a field of the record, or a CEL expression, which the engine evaluates:
//   Column user;   …   batch[config().user]
struct Column {
  std::string text;          // as the user wrote it; empty: not set
  std::uint32_t number = 0;  // of the batch's columns
};

// The same under names that the user chooses: {address: client_ip, size: "bytes * 8"}.
struct Columns {
  std::vector<std::string> names;  // in the order of the file
  std::vector<std::string> texts;
  std::uint32_t first = 0;  // the number of the first one; the others follow
  std::size_t size() const { return names.size(); }
  // Entry `n`, to ask a batch for: batch[config().columns.at(n)].
  Column at(std::size_t n) const { return {texts.at(n), first + static_cast<std::uint32_t>(n)}; }
};

namespace detail {

template <class T>
inline constexpr bool kNever = false;

// A text that YAML reads as that text.
inline std::string yaml_text(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

inline std::string yaml_duration(Duration duration) {
  struct Unit {
    const char* name;
    std::int64_t micros;
  };
  constexpr Unit kUnits[] = {{"d", 86'400'000'000}, {"h", 3'600'000'000}, {"m", 60'000'000},
                             {"s", 1'000'000},      {"ms", 1'000},        {"us", 1}};
  const auto micros = duration.count();
  if (micros == 0) return "0s";
  for (const Unit& unit : kUnits)
    if (micros % unit.micros == 0) return std::to_string(micros / unit.micros) + unit.name;
  return {};
}

template <class T>
std::string yaml_number(T number) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, number).ptr};
}

}  // namespace detail

// type (SD_FIELD_…), show() (a default as YAML, empty for none) and read().
template <class T>
struct FieldType {
  static_assert(detail::kNever<T>,
                "a config field is a bool, an integer, a double, std::string, sd::Duration, "
                "sd::Bytes, std::vector<std::string>, sd::Column, sd::Columns, or a std::optional "
                "of one of the first six");
};

template <>
struct FieldType<bool> {
  static constexpr std::uint32_t type = SD_FIELD_BOOL;
  static std::string show(bool v) { return v ? "true" : "false"; }
  static void read(Value v, bool& into) { into = v.boolean().value_or(into); }
};

template <std::integral T>
struct FieldType<T> {
  static constexpr std::uint32_t type = SD_FIELD_INT;
  static std::string show(T v) { return detail::yaml_number(v); }
  static void read(Value v, T& into) { into = As<T>::from(v).value_or(into); }
};

template <>
struct FieldType<double> {
  static constexpr std::uint32_t type = SD_FIELD_DOUBLE;
  static std::string show(double v) { return detail::yaml_number(v); }
  static void read(Value v, double& into) { into = v.number().value_or(into); }
};

template <>
struct FieldType<std::string> {
  static constexpr std::uint32_t type = SD_FIELD_STRING;
  static std::string show(const std::string& v) { return v.empty() ? "" : detail::yaml_text(v); }
  static void read(Value v, std::string& into) { into = v.text().value_or(into); }
};

template <class Rep, class Period>
struct FieldType<std::chrono::duration<Rep, Period>> {
  using T = std::chrono::duration<Rep, Period>;
  static constexpr std::uint32_t type = SD_FIELD_DURATION;
  static std::string show(T v) {
    return detail::yaml_duration(std::chrono::duration_cast<Duration>(v));
  }
  static void read(Value v, T& into) { into = As<T>::from(v).value_or(into); }
};

template <>
struct FieldType<Bytes> {
  static constexpr std::uint32_t type = SD_FIELD_SIZE;
  static std::string show(Bytes v) { return detail::yaml_number(v.count); }
  static void read(Value v, Bytes& into) { into.count = v.integer().value_or(into.count); }
};

template <>
struct FieldType<std::vector<std::string>> {
  static constexpr std::uint32_t type = SD_FIELD_STRINGS;
  static std::string show(const std::vector<std::string>& v) {
    if (v.empty()) return {};
    std::string yaml = "[";
    for (const auto& one : v) yaml += (yaml.size() > 1 ? ", " : "") + detail::yaml_text(one);
    return yaml + "]";
  }
  static void read(Value v, std::vector<std::string>& into) {
    if (v.kind() != SD_LIST) return;
    into.clear();
    for (const Value one : v.items()) into.emplace_back(one.text().value_or(""));
  }
};

template <>
struct FieldType<Column> {
  static constexpr std::uint32_t type = SD_FIELD_COLUMN;
  static std::string show(const Column& v) { return v.text; }
  static void read(Value v, Column& into) { into.text = v.text().value_or(""); }
};

template <>
struct FieldType<Columns> {
  static constexpr std::uint32_t type = SD_FIELD_COLUMNS;
  static std::string show(const Columns&) { return {}; }
  static void read(Value v, Columns& into) {
    const auto items = v.items();
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      into.names.emplace_back(items[i].text().value_or(""));
      into.texts.emplace_back(items[i + 1].text().value_or(""));
    }
  }
};

template <class T>
struct FieldType<std::optional<T>> {
  static constexpr std::uint32_t type = FieldType<T>::type;
  static_assert(type != SD_FIELD_COLUMN && type != SD_FIELD_COLUMNS && type != SD_FIELD_STRINGS,
                "columns and lists need no std::optional: without one in the file they are empty");
  static std::string show(const std::optional<T>& v) { return v ? FieldType<T>::show(*v) : ""; }
  static void read(Value v, std::optional<T>& into) {
    if (v.null() || v.missing()) return;
    FieldType<T>::read(v, into.emplace());
  }
};

}  // namespace sd
