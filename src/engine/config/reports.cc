// SPDX-License-Identifier: Apache-2.0
#include "engine/config/reports.h"

#include "engine/api/field_type.h"
#include "engine/config/source_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace streamd {
namespace {

struct Located {
  Diagnostic problem;
  std::string file;  // empty: of none
  std::size_t line = 0, column = 0, end_column = 0;
};

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::vector<Located> located(const Diagnostics& problems, const std::vector<SourceText>& files) {
  std::vector<SourceLines> lines;
  for (const auto& file : files) lines.emplace_back(file.text);
  std::vector<Located> out;
  for (auto& problem : tidy(problems)) {
    Located one;
    const Place p = problem.place;
    if (p.file < files.size()) {
      one.file = files[p.file].name;
      one.line = p.line;
      if (p.line > 0) {
        const std::string_view line = lines[p.file].line(p.line);
        const std::size_t from = std::min<std::size_t>(p.column - 1, line.size());
        const std::size_t to = std::min<std::size_t>(from + p.length, line.size());
        one.column = characters(line.substr(0, from)) + 1;
        one.end_column =
            one.column + std::max<std::size_t>(1, characters(line.substr(from, to - from)));
      }
    }
    one.problem = std::move(problem);
    out.push_back(std::move(one));
  }
  return out;
}

const char* severity(const Diagnostic& problem) {
  return problem.severity == Severity::error ? "error" : "warning";
}

std::string escaped(std::string_view text, std::string_view signs) {
  std::string out;
  for (const char c : text) {
    if (signs.find(c) != std::string_view::npos)
      out += fmt::format("%{:02X}", static_cast<unsigned>(c));
    else
      out += c;
  }
  return out;
}
std::string message_text(std::string_view text) { return escaped(text, "%\r\n"); }
std::string property(std::string_view text) { return escaped(text, "%\r\n:,"); }

}  // namespace

std::string report_json(const Diagnostics& problems, const std::vector<SourceText>& files) {
  std::string out;
  for (const auto& at : located(problems, files))
    out += fmt::format(
        R"({}{{"file":{},"line":{},"column":{},"end_line":{},"end_column":{},"severity":"{}",)"
        R"("code":{},"message":{},"remedy":{}}})",
        out.empty() ? "[\n" : ",\n", json_quote(at.file), at.line, at.column, at.line,
        at.end_column, severity(at.problem), json_quote(at.problem.code),
        json_quote(at.problem.message), json_quote(at.problem.hint));
  return out.empty() ? "[]\n" : out + "\n]\n";
}

std::string report_github(const Diagnostics& problems, const std::vector<SourceText>& files) {
  std::string out;
  for (const auto& at : located(problems, files)) {
    std::string place;
    if (!at.file.empty()) place += "file=" + property(at.file) + ",";
    if (at.line > 0)
      place += fmt::format("line={},endLine={},col={},endColumn={},", at.line, at.line, at.column,
                           at.end_column);
    std::string text = at.problem.message;
    if (!at.problem.hint.empty()) text += "\nhelp: " + at.problem.hint;
    out += fmt::format("::{} {}title={}::{}\n", severity(at.problem), place,
                       property("streamd: " + at.problem.code), message_text(text));
  }
  return out;
}

}  // namespace streamd
