// SPDX-License-Identifier: Apache-2.0
// The options of a node as a test writes them, {{"gap", "30s"}, {"user", "name"}}, made into what
// the plugin gets, by the plugin's own spec.
#pragma once

#include "field.hpp"

#include <charconv>
#include <stdexcept>

namespace sd::test {

using Settings = std::map<std::string, std::string>;

// The options are not what the spec asks for: what `streamd check` would report.
class WrongSettings : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Config {
  std::vector<Field> values;  // one per field of the spec
  // The name of the record's field behind each column; nullptr-like (missing) when not set.
  std::vector<std::optional<std::string>> columns;
};

namespace detail {

inline std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\n"), last = text.find_last_not_of(" \t\n");
  return first == std::string_view::npos ? "" : std::string(text.substr(first, last - first + 1));
}

inline std::string scalar(std::string_view yaml) {
  std::string text = trimmed(yaml);
  if (text.size() < 2 || (text.front() != '"' && text.front() != '\'') ||
      text.back() != text.front())
    return text;
  std::string plain;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (text.front() == '"' && text[i] == '\\' && i + 2 < text.size()) ++i;
    plain += text[i];
  }
  return plain;
}

// "[a, 'b, c']" and "{a: x, b: f(y, z)}": the parts between commas that stand alone.
inline std::vector<std::string> parts(std::string_view yaml, char open, char close) {
  const std::string text = trimmed(yaml);
  if (text.empty() || text.front() != open || text.back() != close) return {text};
  std::vector<std::string> found(1);
  char quote = 0;
  int depth = 0;
  for (const char c : std::string_view(text).substr(1, text.size() - 2)) {
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (std::string_view("([{").find(c) != std::string_view::npos) {
      ++depth;
    } else if (std::string_view(")]}").find(c) != std::string_view::npos) {
      --depth;
    } else if (c == ',' && depth == 0) {
      found.emplace_back();
      continue;
    }
    found.back() += c;
  }
  if (found.size() == 1 && trimmed(found[0]).empty()) found.clear();
  return found;
}

template <class T>
T number(std::string_view text, const std::string& name, const char* what) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw WrongSettings(name + ": \"" + std::string(text) + "\" is no " + what);
  return value;
}

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

// "1h30m" by units of time, "16MiB" by units of size; in the smallest one.
template <std::size_t N>
std::int64_t quantity(std::string_view text, const Unit (&units)[N], const std::string& name,
                      const char* what) {
  std::int64_t total = 0;
  std::string_view rest = text;
  do {
    const auto digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    const auto letters = std::min(rest.find_first_of("0123456789", digits), rest.size());
    const auto unit = rest.substr(digits, letters - digits);
    const Unit* known = nullptr;
    for (const Unit& one : units)
      if (one.name == unit) known = &one;
    if (known == nullptr)
      throw WrongSettings(name + ": \"" + std::string(text) + "\" is no " + what);
    total += number<std::int64_t>(rest.substr(0, digits), name, what) * known->factor;
    rest.remove_prefix(letters);
  } while (!rest.empty());
  return total;
}

constexpr Unit kTimes[] = {{"d", 86'400'000'000}, {"h", 3'600'000'000}, {"m", 60'000'000},
                           {"s", 1'000'000},      {"ms", 1'000},        {"us", 1}};
constexpr Unit kSizes[] = {
    {"", 1},       {"B", 1},          {"KiB", 1 << 10}, {"MiB", 1 << 20},
    {"KB", 1'000}, {"MB", 1'000'000}, {"GiB", 1 << 30}, {"GB", 1'000'000'000}};

inline Field read(const sd_field& field, const std::string& yaml, Config& config) {
  const std::string name(sd::text(field.name));
  const std::string text = scalar(yaml);
  const auto within = [&](std::int64_t value) {
    if ((field.least != 0 || field.most != 0) && (value < field.least || value > field.most))
      throw WrongSettings(name + ": " + text + " is out of bounds");
    return value;
  };
  switch (field.type) {
    case SD_FIELD_BOOL:
      if (text != "true" && text != "false")
        throw WrongSettings(name + ": \"" + text + "\" is neither true nor false");
      return text == "true";
    case SD_FIELD_INT: return within(number<std::int64_t>(text, name, "whole number"));
    case SD_FIELD_DOUBLE: {
      const double value = number<double>(text, name, "number");
      within(static_cast<std::int64_t>(value));
      return value;
    }
    case SD_FIELD_DURATION:
      return Duration(within(quantity(text, kTimes, name, "duration such as 30s")));
    case SD_FIELD_SIZE: return within(quantity(text, kSizes, name, "size such as 16MiB"));
    case SD_FIELD_STRINGS: {
      std::vector<Field> items;
      for (const auto& part : parts(yaml, '[', ']')) items.emplace_back(scalar(part));
      return Field::list(std::move(items));
    }
    case SD_FIELD_CHOICE:
      for (std::uint32_t i = 0; i < field.choice_count; ++i)
        if (sd::text(field.choices[i]) == text) return text;
      throw WrongSettings(name + ": \"" + text + "\" is none of its choices");
    case SD_FIELD_COLUMN: config.columns.emplace_back(text); return text;
    case SD_FIELD_COLUMNS: {
      std::vector<Field> items;
      for (const auto& part : parts(yaml, '{', '}')) {
        const auto colon = part.find(':');
        if (colon == std::string::npos) throw WrongSettings(name + " is no map of names");
        items.emplace_back(scalar(part.substr(0, colon)));
        items.emplace_back(scalar(part.substr(colon + 1)));
        config.columns.emplace_back(scalar(part.substr(colon + 1)));
      }
      return Field::map(std::move(items));
    }
    default: return text;
  }
}

}  // namespace detail

// Throws WrongSettings. `also`: names of options that are the engine's.
inline Config read_settings(const sd_spec& spec, const Settings& settings,
                            const std::vector<std::string>& also = {}) {
  Config config;
  Settings rest = settings;
  for (const auto& name : also) rest.erase(name);
  for (std::uint32_t i = 0; i < spec.field_count; ++i) {
    const sd_field& field = *spec.fields[i];
    const std::string name(sd::text(field.name));
    const auto given = rest.find(name);
    if (given != rest.end()) {
      config.values.push_back(detail::read(field, given->second, config));
      rest.erase(given);
    } else if ((field.flags & SD_FIELD_REQUIRED) != 0) {
      throw WrongSettings(name + " is required");
    } else if (field.fallback.size > 0) {
      config.values.push_back(detail::read(field, std::string(sd::text(field.fallback)), config));
    } else {
      config.values.emplace_back(nullptr);
      if (field.type == SD_FIELD_COLUMN) config.columns.emplace_back(std::nullopt);
    }
  }
  if (!rest.empty()) throw WrongSettings("unknown option " + rest.begin()->first);
  return config;
}

}  // namespace sd::test
