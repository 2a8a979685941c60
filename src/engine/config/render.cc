// SPDX-License-Identifier: Apache-2.0
#include "engine/config/render.h"

#include "engine/config/masked_line.h"
#include "engine/config/source_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace streamd {
namespace {

constexpr std::size_t kWidest = 140;  // characters of a source line that are shown

auto position(const Place& p) { return std::tuple(p.file, p.line, p.column); }

struct Palette {
  std::string_view bold, error, warning, mark, plain;
};
constexpr Palette kNone{"", "", "", "", ""};
constexpr Palette kColours{"\033[1m", "\033[1;31m", "\033[1;35m", "\033[1;32m", "\033[0m"};

// One entry per character; control characters cannot move the cursor, tabs become one space.
std::vector<std::string> characters(std::string_view text) {
  std::vector<std::string> out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) == 0x80 && !out.empty())
      out.back() += c;
    else if (c == '\t')
      out.emplace_back(" ");
    else if (byte < 0x20 || byte == 0x7F)
      out.emplace_back("?");
    else
      out.emplace_back(1, c);
  }
  return out;
}

// Where there is no tree, and where a value is not part of it, a secret has no place of its own.
bool is_out_of_tree(const Diagnostics& problems, const Place& place) {
  const auto& all = problems.all();
  return std::any_of(all.begin(), all.end(), [&](const Diagnostic& other) {
    const bool here = other.place.file == place.file && other.place.line == place.line;
    return other.code == "alias" || other.code.starts_with("yaml-") ||
           (other.code == "duplicate-key" && here);
  });
}

MaskedLine masked(std::string_view line, const Diagnostics& problems, const Diagnostic& problem,
                  const Secrets& secrets) {
  MaskedLine out(line);
  for (const Place& secret : secrets.places)
    if (secret.file == problem.place.file && secret.line == problem.place.line)
      out.hide_value(secret.column - 1);
  if (is_out_of_tree(problems, problem.place)) out.hide_values_of(secrets.names);
  return out;
}

// The source line with the place underlined. A long line is cut around the place.
std::string snippet(const MaskedLine& masked, const Place& place, const Palette& palette) {
  const std::string line = masked.text();
  const std::size_t start_byte = std::min<std::size_t>(masked.moved(place.column - 1), line.size());
  const std::size_t end_byte =
      std::clamp(masked.moved(place.column - 1 + std::max<std::uint32_t>(place.length, 1)),
                 start_byte, std::max(start_byte, line.size()));
  const std::vector<std::string> shown = characters(line);
  std::size_t start = characters(std::string_view(line).substr(0, start_byte)).size();
  std::size_t length = std::max<std::size_t>(
      1, characters(std::string_view(line).substr(start_byte, end_byte - start_byte)).size());
  std::size_t from = 0;
  if (shown.size() > kWidest && start > kWidest / 2) from = start - kWidest / 2;
  const std::size_t to = std::min(shown.size(), from + kWidest);
  length = std::min(length, std::max<std::size_t>(1, to - std::min(to, start)));

  std::string text = from > 0 ? "…" : "";
  for (std::size_t i = from; i < to; ++i) text += shown[i];
  if (to < shown.size()) text += "…";
  const std::size_t indent = start - from + (from > 0 ? 1 : 0);
  return fmt::format("{:>5} | {}\n      | {}{}^{}{}\n", place.line, text, std::string(indent, ' '),
                     palette.mark, std::string(length - 1, '~'), palette.plain);
}

std::string location(const Diagnostic& problem, const std::vector<SourceText>& files,
                     std::string_view line) {
  const Place& p = problem.place;
  if (p.file >= files.size()) return "streamd: ";
  const std::string& name = files[p.file].name;
  if (p.line == 0) return name + ": ";
  const std::size_t column = characters(line.substr(0, p.column - 1)).size() + 1;
  return fmt::format("{}:{}:{}: ", name, p.line, column);
}

// One style for hints of any origin: no full stop, and lower case but for names such as UTC.
std::string as_hint(std::string hint) {
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (hint.size() > 1 && is_capital(hint[0]) && hint[1] >= 'a' && hint[1] <= 'z')
    hint[0] = static_cast<char>(hint[0] - 'A' + 'a');
  if (hint.ends_with('.') && !hint.ends_with("..")) hint.pop_back();
  return hint;
}

std::string count(std::size_t n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

}  // namespace

std::vector<Diagnostic> tidy(const Diagnostics& problems) {
  std::vector<Diagnostic> sorted = problems.all();
  std::stable_sort(sorted.begin(), sorted.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return position(a.place) < position(b.place);
  });
  std::vector<Diagnostic> out;
  for (auto& problem : sorted) {
    bool known = false;
    for (auto before = out.rbegin(); before != out.rend() && !known; ++before) {
      if (position(before->place) != position(problem.place)) break;
      const bool follows = before->code == "variable" || before->code == "yaml-tag";
      known = (follows && before->place.line > 0) ||
              (before->code == problem.code && before->message == problem.message);
    }
    if (known) continue;
    problem.hint = as_hint(std::move(problem.hint));
    out.push_back(std::move(problem));
  }
  return out;
}

std::string render(const Diagnostics& problems, const std::vector<SourceText>& files, bool colours,
                   const Secrets& secrets) {
  const Palette& palette = colours ? kColours : kNone;
  std::vector<SourceLines> lines;
  for (const auto& file : files) lines.emplace_back(file.text);
  std::string out;
  std::size_t errors = 0, warnings = 0;
  for (const auto& problem : tidy(problems)) {
    const bool is_error = problem.severity == Severity::error;
    ++(is_error ? errors : warnings);
    const Place& p = problem.place;
    const std::string_view line = p.file < lines.size() ? lines[p.file].line(p.line) : "";
    out +=
        fmt::format("{}{}{}{}{}:{} {} [{}]\n", palette.bold, location(problem, files, line),
                    palette.plain, is_error ? palette.error : palette.warning,
                    is_error ? "error" : "warning", palette.plain, problem.message, problem.code);
    if (p.line > 0 && p.file < lines.size())
      out += snippet(masked(line, problems, problem, secrets), p, palette);
    if (!problem.hint.empty()) out += fmt::format("      = help: {}\n", problem.hint);
    out += "\n";
  }
  if (errors > 0) out += count(errors, "error");
  if (warnings > 0) out += (errors > 0 ? ", " : "") + count(warnings, "warning");
  return out.empty() ? out : out + "\n";
}

}  // namespace streamd
