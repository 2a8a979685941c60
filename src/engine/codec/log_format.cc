// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/log_format.h"

#include "engine/codec/access_log_line.h"
#include "engine/codec/calendar.h"

namespace streamd {
namespace {

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The name behind the $ at text[at], with or without braces; moves `at` behind it. Empty: bad.
std::string_view variable_name(std::string_view text, std::size_t& at) {
  ++at;
  const bool braces = at < text.size() && text[at] == '{';
  if (braces) ++at;
  const std::size_t begin = at;
  while (at < text.size() && is_name(text[at])) ++at;
  const std::string_view name = text.substr(begin, at - begin);
  if (!braces) return name;
  if (at == text.size() || text[at] != '}') return {};
  ++at;
  return name;
}

std::size_t find_end(std::string_view line, std::size_t from, const LogFormat::Variable& variable) {
  const std::string_view after = variable.after;
  std::size_t at = line.find(after, from);
  while (at != std::string_view::npos && variable.quoted && is_escaped(line, from, at)) {
    at = line.find(after, at + 1);
  }
  return at;
}

// Whether a time as $time_iso8601 writes it begins at text[at].
bool is_iso_time(std::string_view text, std::size_t at) {
  constexpr std::string_view kShape = "0000-00-00 00:00:00";  // a blank: anything
  if (at > text.size() || text.size() - at < kShape.size()) return false;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const char c = text[at + i];
    if (kShape[i] == '0' ? !is_digit(c) : kShape[i] != ' ' && c != kShape[i]) return false;
  }
  return true;
}

// Whether what stands at line[at] can be a value of this variable; only of times that is known.
bool can_be(std::string_view variable, std::string_view line, std::size_t at) {
  if (variable == "time_local") return clf_time_length(line, at) != 0;
  return variable != "time_iso8601" || is_iso_time(line, at);
}

}  // namespace

LogFormat parse_log_format(std::string_view text) {
  LogFormat format;
  const auto bad = [&](std::size_t at, std::string why) {
    format.trouble = std::move(why);
    format.trouble_at = at;
    return format;
  };
  std::size_t at = 0;
  while (at < text.size()) {
    std::string& literal = format.variables.empty() ? format.before : format.variables.back().after;
    if (text[at] != '$') {
      literal += text[at++];
      continue;
    }
    const std::size_t dollar = at;
    if (!format.variables.empty() && literal.empty()) {
      return bad(dollar, "two variables without anything between them");
    }
    const bool quoted = !literal.empty() && literal.back() == '"';
    const std::string_view name = variable_name(text, at);
    if (name.empty()) return bad(dollar, "\"$\" without the name of a variable");
    format.variables.push_back({std::string(name), {}, quoted});
  }
  if (format.variables.empty()) return bad(0, "log format without a variable");
  for (auto& v : format.variables) v.quoted = v.quoted && !v.after.empty() && v.after[0] == '"';
  return format;
}

bool cut_line(const LogFormat& format, std::string_view line, std::vector<std::string_view>& values,
              std::size_t& wrong_at, std::string_view& expected) {
  values.clear();
  wrong_at = 0;
  expected = format.before;
  if (line.substr(0, format.before.size()) != format.before) return false;
  std::size_t at = format.before.size();
  for (std::size_t i = 0; i < format.variables.size(); ++i) {
    const LogFormat::Variable& variable = format.variables[i];
    const bool last = i + 1 == format.variables.size();
    wrong_at = at;
    expected = variable.after;
    std::size_t end = line.size();
    if (last && !variable.after.empty()) {
      // The line must end with the literal; what stands before belongs to the value.
      if (line.size() < at + variable.after.size() || !line.ends_with(variable.after)) return false;
      end = line.size() - variable.after.size();
    } else if (!last) {
      end = find_end(line, at, variable);
      // A client chooses its user name: only a literal with a time behind it ends it.
      while (end != std::string_view::npos &&
             !can_be(format.variables[i + 1].name, line, end + variable.after.size())) {
        end = line.find(variable.after, end + 1);
      }
      if (end == std::string_view::npos) return false;
    }
    values.push_back(line.substr(at, end - at));
    at = end + variable.after.size();
  }
  return true;
}

}  // namespace streamd
