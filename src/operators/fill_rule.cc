// SPDX-License-Identifier: Apache-2.0
#include "operators/fill_rule.h"

#include <charconv>
#include <cmath>

namespace streamd {
namespace {

constexpr const char* kShapes = "a constant, {value: …}, {from: expression} or {last: true}";

template <class Number>
std::optional<Number> whole_number(const std::string& text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || at != end) return std::nullopt;
  return number;
}

}  // namespace

Value FillRule::constant() const {
  if (value.shape == ConfigNode::Shape::null) return Value::null();
  const std::string& text = value.text;
  if (value.quoted) return Value::string(text);
  if (text == "true" || text == "false") return Value::boolean(text == "true");
  if (text == "null" || text == "~") return Value::null();
  if (const auto i = whole_number<std::int64_t>(text)) return Value::int64(*i);
  if (const auto u = whole_number<std::uint64_t>(text)) return Value::uint64(*u);
  const bool like_number = text.find_first_not_of("0123456789.eE+-") == std::string::npos;
  if (const auto d = whole_number<double>(text); like_number && d && std::isfinite(*d))
    return Value::float64(*d);
  return Value::string(text);
}

bool FieldType<FillRule>::read(const ConfigNode& node, FillRule& into, Diagnostics& problems) {
  using Shape = ConfigNode::Shape;
  into = {};
  if (node.shape == Shape::scalar || node.shape == Shape::null) {
    into.value = node;
    return true;
  }
  if (node.shape != Shape::map || node.entries.size() != 1) {
    report_type(node, kShapes, problems);
    return false;
  }
  const auto& [key, value] = node.entries.front();
  if (key.text == "value" && (value.shape == Shape::scalar || value.shape == Shape::null)) {
    into.value = value;
    return true;
  }
  if (key.text == "from") {
    ExprText text;
    if (!FieldType<ExprText>::read(value, text, problems)) return false;
    into.from = std::move(text);
    return true;
  }
  if (key.text == "last") {
    if (!FieldType<bool>::read(value, into.last, problems)) return false;
    if (!into.last)
      problems.error("type-mismatch", value.place, "last can only be true",
                     "Remove the field, or give it a value.");
    return into.last;
  }
  if (key.text == "value") {
    report_type(value, "a constant", problems);
    return false;
  }
  const std::string near = closest(key.text, {"value", "from", "last"});
  problems.error(
      "unknown-key", key.place, "unknown key \"" + key.text + "\"",
      near.empty() ? std::string("Write ") + kShapes + "." : "Did you mean \"" + near + "\"?");
  return false;
}

std::string FieldType<FillRule>::name() { return kShapes; }

std::string FieldType<FillRule>::json_schema() {
  return R"({"anyOf":[{"type":["string","number","boolean","null"]},)"
         R"({"type":"object","additionalProperties":false,"minProperties":1,"maxProperties":1,)"
         R"("properties":{"value":{"type":["string","number","boolean","null"]},)"
         R"("from":{"type":"string"},"last":{"const":true}}}]})";
}

std::string FieldType<FillRule>::show(const FillRule&) { return ""; }

}  // namespace streamd
