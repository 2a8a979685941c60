// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/json_text.h"

#include "engine/codec/encode.h"

#include <algorithm>
#include <utility>

namespace streamd::testing {
namespace {

using Shape = ConfigNode::Shape;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The grammar of RFC 8259, so that 007 and 1e and .5 stay texts.
bool is_json_number(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at - from;
  };
  if (at < text.size() && text[at] == '-') ++at;
  const std::size_t first = at;
  const std::size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[first] == '0')) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

bool is_null_word(std::string_view text) {
  return text == "null" || text == "~" || text == "Null" || text == "NULL";
}
bool is_boolean_word(std::string_view text) { return text == "true" || text == "false"; }

// Whether YAML gives back the text when it stands without quotes inside [] or {}.
bool is_plain_in_flow(std::string_view text) {
  constexpr std::string_view kSafe = "_-./+@%()";
  if (text.empty() || is_null_word(text) || is_boolean_word(text) || is_json_number(text))
    return false;
  const char first = text.front();
  if (first == '-' || first == '.' || first == '@' || first == '%' || first == '+') return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kSafe.find(c) != std::string_view::npos;
  });
}

// Times and addresses with colons are readable without quotes as long as no blank follows.
bool is_plain_time_or_address(std::string_view text) {
  if (text.empty() || !is_digit(text.front()) || is_json_number(text)) return false;
  return text.back() != ':' && std::all_of(text.begin(), text.end(), [](char c) {
           return is_digit(c) || (c >= 'a' && c <= 'f') || c == ':' || c == '.' || c == '-' ||
                  c == 'T' || c == 'Z';
         });
}

std::string text_yaml(std::string_view text) {
  // 10:30 is a number to YAML 1.1 readers; a time with its date is not.
  const bool long_enough = text.size() > 6;
  if (is_plain_in_flow(text) || (long_enough && is_plain_time_or_address(text)))
    return std::string(text);
  std::string out;
  append_json_string(text, out);
  return out;
}

}  // namespace

ScalarKind scalar_kind(const ConfigNode& node) {
  if (node.shape == Shape::null) return ScalarKind::null;
  if (node.shape != Shape::scalar || node.quoted) return ScalarKind::text;
  if (is_null_word(node.text)) return ScalarKind::null;
  if (is_boolean_word(node.text)) return ScalarKind::boolean;
  return is_json_number(node.text) ? ScalarKind::number : ScalarKind::text;
}

void append_json(const ConfigNode& node, std::string& out) {
  switch (node.shape) {
    case Shape::null: out += "null"; return;
    case Shape::scalar:
      switch (scalar_kind(node)) {
        case ScalarKind::null: out += "null"; return;
        case ScalarKind::boolean:
        case ScalarKind::number: out += node.text; return;
        case ScalarKind::text: append_json_string(node.text, out); return;
      }
      return;
    case Shape::list: {
      out += '[';
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        if (i > 0) out += ',';
        append_json(node.items[i], out);
      }
      out += ']';
      return;
    }
    case Shape::map: {
      out += '{';
      bool first = true;
      for (const auto& [key, value] : node.entries) {
        if (!std::exchange(first, false)) out += ',';
        append_json_string(key.text, out);
        out += ':';
        append_json(value, out);
      }
      out += '}';
      return;
    }
  }
}

std::string json_of(const ConfigNode& node) {
  std::string out;
  append_json(node, out);
  return out;
}

std::string shown(const Value& value) {
  if (value.is(Kind::missing)) return "nothing";
  std::string out;
  streamd::append_json(value, out);
  return out;
}

std::string flow_key(std::string_view key) { return text_yaml(key); }

std::string flow_yaml(const Value& value) {
  if (value.is(Kind::string)) return text_yaml(value.text());
  if (value.is(Kind::list)) {
    std::string out = "[";
    for (std::uint32_t i = 0; i < value.size(); ++i)
      out += (i > 0 ? ", " : "") + flow_yaml(value.items()[i]);
    return out + "]";
  }
  if (value.is(Kind::map)) {
    std::string out = "{";
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      const Value& key = value.items()[2 * i];
      out +=
          (i > 0 ? ", " : "") + flow_key(key.text()) + ": " + flow_yaml(value.items()[2 * i + 1]);
    }
    return out + "}";
  }
  return shown(value);
}

}  // namespace streamd::testing
