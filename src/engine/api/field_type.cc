// SPDX-License-Identifier: Apache-2.0
#include "engine/api/field_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace streamd {
namespace {

constexpr std::string_view kVariable = R"({"type":"string","pattern":"\\$\\{.+\\}"})";

bool is_number_text(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text)
    if (c < '0' || c > '9') return false;
  return true;
}

// A scalar whose text may be read as a number or a bool. "5" in quotes is a text, unless a variable
// was put in: inside {…} YAML forces quotes around ${VAR}.
bool is_plain(const ConfigNode& node) {
  return node.shape == ConfigNode::Shape::scalar && (!node.quoted || node.substituted);
}

template <class T>
bool read_number(const ConfigNode& node, T& into, std::string_view what, Diagnostics& problems) {
  if (is_plain(node)) {
    const std::string_view text = node.text;
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size()) {
      into = value;
      return true;
    }
  }
  report_type(node, what, problems);
  return false;
}

bool read_text(const ConfigNode& node, std::string& into, std::string_view what,
               Diagnostics& problems) {
  if (node.shape == ConfigNode::Shape::scalar) {
    into = node.text;
    return true;
  }
  report_type(node, what, problems);
  return false;
}

std::string yaml_text(const std::string& text) {
  if (text.empty()) return {};
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || c == '.' || c == '/';
    if (!plain) return json_quote(text);
  }
  return text;
}

// "5 minutes", "1.5h", "-5s", "1month": what is probably meant.
std::string duration_hint(std::string_view text) {
  if (is_number_text(text)) return fmt::format("write a unit: {}s", text);
  if (text.starts_with('-')) return "a duration cannot be negative";
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  std::string_view unit = text.substr(digits);
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kWords = {
      {{"sec", "s"},
       {"min", "m"},
       {"hour", "h"},
       {"hr", "h"},
       {"day", "d"},
       {"milli", "ms"},
       {"micro", "us"}}};
  for (const auto& [word, sign] : kWords)
    if (digits > 0 && unit.starts_with(word))
      return fmt::format("write {}{}", text.substr(0, digits), sign);
  if (digits > 0 && (unit.starts_with('w') || unit.starts_with("mo") || unit.starts_with('y')))
    return "the longest unit is d: write for example 7d or 30d";
  if (digits > 0 && unit.starts_with('.')) return "write whole numbers: 1m30s instead of 1.5m";
  return "write numbers with a unit (us, ms, s, m, h, d): 1h30m";
}

std::string number_hint(const ConfigNode& node, bool whole) {
  const std::string& text = node.text;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return {};
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (rest == "%" && !whole) return fmt::format("write {}", value / 100);
  if (!rest.empty()) return {};
  if (whole && value < 0) return "it cannot be negative";
  if (node.quoted) return "remove the quotes";
  constexpr double kExact = 9e15;
  if (whole && value >= 0 && value < kExact && value == std::floor(value))
    return fmt::format("write {:.0f}", value);
  return {};
}

std::string type_hint(const ConfigNode& node, std::string_view expected) {
  if (node.substituted) return {};
  if (node.shape == ConfigNode::Shape::list || node.shape == ConfigNode::Shape::map) {
    const bool one = expected.rfind("list", 0) != 0 && expected.find("map") == expected.npos;
    return one ? "write a single value" : "";
  }
  if (node.shape != ConfigNode::Shape::scalar) return {};
  if (expected == FieldType<Duration>::name()) return duration_hint(node.text);
  if (expected == FieldType<ByteSize>::name())
    return "write a whole number with a unit (B, KiB, MiB, GiB, KB, MB, GB): 16MiB";
  if (expected == FieldType<bool>::name()) return "write true or false, without quotes";
  const bool whole = expected.starts_with("a whole number");
  return whole || expected == FieldType<double>::name() ? number_hint(node, whole) : std::string();
}

}  // namespace

std::string or_variable(std::string_view schema) {
  return fmt::format(R"({{"anyOf":[{},{}]}})", schema, kVariable);
}

void report_type(const ConfigNode& node, std::string_view expected, Diagnostics& problems) {
  std::string got;
  switch (node.shape) {
    case ConfigNode::Shape::null: got = "nothing"; break;
    case ConfigNode::Shape::list: got = "a list"; break;
    case ConfigNode::Shape::map: got = "a map"; break;
    case ConfigNode::Shape::scalar:
      got = node.substituted ? "a text that is not shown" : json_quote(node.text);
      break;
  }
  constexpr std::size_t kLongestEcho = 80;
  if (got.size() > kLongestEcho) got = "a longer text";
  problems.error("type-mismatch", node.place, fmt::format("expected {}, got {}", expected, got),
                 type_hint(node, expected));
}

namespace {

// What other systems call a type.
std::string other_name(const std::string& text, const std::vector<std::string>& known) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kNames = {
      {{"float", "double"},
       {"number", "double"},
       {"decimal", "double"},
       {"integer", "int"},
       {"long", "int"},
       {"str", "string"},
       {"text", "string"},
       {"boolean", "bool"},
       {"date", "timestamp"},
       {"datetime", "timestamp"},
       {"time", "timestamp"},
       {"address", "ip"}}};
  for (const auto& [name, ours] : kNames)
    if (name == text && std::find(known.begin(), known.end(), ours) != known.end())
      return std::string(ours);
  return {};
}

}  // namespace

std::string null_hint(const std::vector<std::string>& known) {
  const bool has_null = std::find(known.begin(), known.end(), "null") != known.end();
  return has_null ? "null is a text only in quotes: \"null\"" : "";
}

void report_choice(const ConfigNode& node, const std::vector<std::string>& known,
                   Diagnostics& problems) {
  std::string all;
  for (const auto& name : known) all += (all.empty() ? "" : ", ") + name;
  if (node.shape == ConfigNode::Shape::null) {
    problems.error("type-mismatch", node.place, fmt::format("expected one of {}, got nothing", all),
                   null_hint(known));
    return;
  }
  if (node.shape != ConfigNode::Shape::scalar) {
    report_type(node, "one of " + all, problems);
    return;
  }
  if (node.substituted) {
    problems.error("unknown-value", node.place, "unknown value (from a variable)",
                   "known values: " + all);
    return;
  }
  std::string guess = closest(node.text, known);
  if (guess.empty()) guess = other_name(node.text, known);
  problems.error("unknown-value", node.place, "unknown value " + json_quote(node.text),
                 guess.empty() ? "known values: " + all
                               : fmt::format("did you mean \"{}\"? known values: {}", guess, all));
}

std::string json_quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20)
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        else
          out += c;
    }
  }
  return out + "\"";
}

bool FieldType<std::string>::read(const ConfigNode& node, std::string& into,
                                  Diagnostics& problems) {
  return read_text(node, into, name(), problems);
}
std::string FieldType<std::string>::name() { return "text"; }
std::string FieldType<std::string>::json_schema() {
  return R"({"type":["string","number","boolean"]})";
}
std::string FieldType<std::string>::show(const std::string& value) { return yaml_text(value); }

bool FieldType<bool>::read(const ConfigNode& node, bool& into, Diagnostics& problems) {
  if (is_plain(node) && (node.text == "true" || node.text == "false")) {
    into = node.text == "true";
    return true;
  }
  report_type(node, name(), problems);
  return false;
}
std::string FieldType<bool>::name() { return "true or false"; }
std::string FieldType<bool>::json_schema() { return or_variable(R"({"type":"boolean"})"); }
std::string FieldType<bool>::show(const bool& value) { return value ? "true" : "false"; }

bool FieldType<std::int64_t>::read(const ConfigNode& node, std::int64_t& into,
                                   Diagnostics& problems) {
  return read_number(node, into, name(), problems);
}
std::string FieldType<std::int64_t>::name() { return "a whole number"; }
std::string FieldType<std::int64_t>::json_schema() { return or_variable(R"({"type":"integer"})"); }
std::string FieldType<std::int64_t>::show(const std::int64_t& value) {
  return std::to_string(value);
}

bool FieldType<std::uint64_t>::read(const ConfigNode& node, std::uint64_t& into,
                                    Diagnostics& problems) {
  return read_number(node, into, name(), problems);
}
std::string FieldType<std::uint64_t>::name() { return "a whole number, not negative"; }
std::string FieldType<std::uint64_t>::json_schema() {
  return or_variable(R"({"type":"integer","minimum":0})");
}
std::string FieldType<std::uint64_t>::show(const std::uint64_t& value) {
  return std::to_string(value);
}

bool FieldType<double>::read(const ConfigNode& node, double& into, Diagnostics& problems) {
  double value = 0;
  if (!read_number(node, value, name(), problems)) return false;
  if (!std::isfinite(value)) {
    report_type(node, "a finite number", problems);
    return false;
  }
  into = value;
  return true;
}
std::string FieldType<double>::name() { return "a number"; }
std::string FieldType<double>::json_schema() { return or_variable(R"({"type":"number"})"); }
std::string FieldType<double>::show(const double& value) { return fmt::format("{}", value); }

bool FieldType<Duration>::read(const ConfigNode& node, Duration& into, Diagnostics& problems) {
  if (node.shape == ConfigNode::Shape::scalar)
    if (const auto value = parse_duration(node.text)) {
      into = *value;
      return true;
    }
  report_type(node, name(), problems);
  return false;
}
std::string FieldType<Duration>::name() { return "a duration"; }
std::string FieldType<Duration>::json_schema() {
  return R"({"type":"string","pattern":"^([0-9]+(us|ms|s|m|h|d))+$|\\$\\{.+\\}"})";
}
std::string FieldType<Duration>::show(const Duration& value) { return format_duration(value); }

bool FieldType<ByteSize>::read(const ConfigNode& node, ByteSize& into, Diagnostics& problems) {
  if (node.shape == ConfigNode::Shape::scalar)
    if (const auto value = parse_size(node.text)) {
      into = *value;
      return true;
    }
  report_type(node, name(), problems);
  return false;
}
std::string FieldType<ByteSize>::name() { return "a size"; }
std::string FieldType<ByteSize>::json_schema() {
  return R"({"type":["integer","string"],"minimum":0,)"
         R"("pattern":"^[0-9]+([KMGT]i?)?B?$|\\$\\{.+\\}"})";
}
std::string FieldType<ByteSize>::show(const ByteSize& value) { return format_size(value); }

bool FieldType<ExprText>::read(const ConfigNode& node, ExprText& into, Diagnostics& problems) {
  if (!read_text(node, into.text, name(), problems)) return false;
  into.where = node;
  return true;
}
std::string FieldType<ExprText>::name() { return "an expression"; }
std::string FieldType<ExprText>::json_schema() {
  return R"({"type":["string","number","boolean"]})";
}
std::string FieldType<ExprText>::show(const ExprText& value) { return yaml_text(value.text); }

bool FieldType<TemplateText>::read(const ConfigNode& node, TemplateText& into,
                                   Diagnostics& problems) {
  if (!read_text(node, into.text, name(), problems)) return false;
  into.where = node;
  return true;
}
std::string FieldType<TemplateText>::name() { return "a text with {{ expression }} holes"; }
std::string FieldType<TemplateText>::json_schema() {
  return R"({"type":["string","number","boolean"]})";
}
std::string FieldType<TemplateText>::show(const TemplateText& value) {
  return yaml_text(value.text);
}

bool FieldType<ConfigNode>::read(const ConfigNode& node, ConfigNode& into, Diagnostics&) {
  into = node;
  return true;
}
std::string FieldType<ConfigNode>::name() { return "any value"; }
std::string FieldType<ConfigNode>::json_schema() { return "{}"; }
std::string FieldType<ConfigNode>::show(const ConfigNode&) { return {}; }

}  // namespace streamd
