// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/report.h"

#include "engine/codec/utf8.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd::testing {
namespace {

constexpr std::size_t kWidestLine = 400;
constexpr std::size_t kMostWarnings = 5;

// A line of a diff may be a record of a megabyte; cut between characters.
std::string shortened(const std::string& line) {
  if (line.size() <= kWidestLine) return line;
  std::size_t end = kWidestLine;
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) --end;
  return line.substr(0, end) + "…";
}

// Control characters cannot move the cursor.
std::string printable(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7F ? '?' : c;
  }
  return out;
}

std::string where(const Suite& suite, Place place) {
  return place.line == 0 ? suite.path
                         : fmt::format("{}:{}:{}", suite.path, place.line, place.column);
}

std::vector<std::string> lines_of(const Suite& suite, const CaseResult& result) {
  std::vector<std::string> lines;
  for (const auto& finding : result.findings) {
    lines.push_back(fmt::format("{}: {}", where(suite, finding.place), finding.title));
    for (const auto& line : finding.lines) lines.push_back("  " + shortened(line));
  }
  const auto& warnings = result.run.warnings;
  for (std::size_t i = 0; i < std::min(warnings.size(), kMostWarnings); ++i)
    lines.push_back("log: " + shortened(warnings[i]));
  return lines;
}

// XML 1.0 knows no other control characters, and nothing but UTF-8.
std::string xml(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      case '\n': out += "&#10;"; break;
      case '\t': out += "&#9;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    }
  }
  if (is_utf8(out)) return out;
  std::replace_if(
      out.begin(), out.end(), [](char c) { return (c & 0x80) != 0; }, '?');
  return out;
}

}  // namespace

std::string case_report(const Suite& suite, const std::vector<CaseResult>& results) {
  std::string out = suite.path + "\n";
  for (const auto& result : results) {
    out += fmt::format("  {}  {}\n", result.passed() ? "ok  " : "FAIL",
                       printable(result.the_case->name));
    if (result.passed()) continue;
    for (const auto& line : lines_of(suite, result)) out += "        " + printable(line) + "\n";
  }
  return out;
}

std::string coverage_report(const Suite& suite, const AllBooks& books, bool table) {
  std::size_t seen = 0, width = 4;
  std::string unseen, rows;
  for (const auto& name : suite.nodes) width = std::max(width, name.size());
  for (const auto& name : suite.nodes) {
    const auto found = books.find(name);
    const Books own = found == books.end() ? Books{} : found->second;
    if (own.in > 0)
      ++seen;
    else
      unseen += (unseen.empty() ? "" : ", ") + name;
    rows += fmt::format("    {:<{}}  {:>10}  {:>10}{}\n", name, width, own.in, own.out,
                        own.in > 0 ? "" : "  no record");
  }
  std::string out = fmt::format("  coverage: {} of {} nodes saw a record{}\n", seen,
                                suite.nodes.size(), unseen.empty() ? "" : ", not " + unseen);
  if (table) out += fmt::format("    {:<{}}  {:>10}  {:>10}\n", "node", width, "in", "out") + rows;
  return out;
}

JunitSuite junit_suite(const Suite& suite, const std::vector<CaseResult>& results) {
  JunitSuite out{suite.path, {}};
  for (const auto& result : results) {
    JunitSuite::Result row{result.the_case->name, {}, {}, result.seconds};
    if (!result.passed()) {
      row.message = result.findings.front().title;
      for (const auto& line : lines_of(suite, result)) row.details += line + "\n";
    }
    out.results.push_back(std::move(row));
  }
  return out;
}

std::string junit_xml(const std::vector<JunitSuite>& suites) {
  std::string body;
  std::size_t all = 0, all_failed = 0;
  for (const auto& suite : suites) {
    std::string cases;
    std::size_t failed = 0;
    double seconds = 0;
    for (const auto& result : suite.results) {
      seconds += result.seconds;
      cases += fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"",
                           xml(suite.name), xml(result.name), result.seconds);
      if (result.message.empty()) {
        cases += "/>\n";
        continue;
      }
      ++failed;
      cases += fmt::format(">\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n",
                           xml(result.message), xml(result.details));
    }
    body += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" time=\"{:.3f}\">\n{}"
        "  </testsuite>\n",
        xml(suite.name), suite.results.size(), failed, seconds, cases);
    all += suite.results.size();
    all_failed += failed;
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{}\" failures=\"{}\">\n{}"
      "</testsuites>\n",
      all, all_failed, body);
}

}  // namespace streamd::testing
