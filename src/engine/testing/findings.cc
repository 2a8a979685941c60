// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/findings.h"

#include "engine/testing/json_text.h"
#include "engine/testing/rows.h"

#include <fmt/format.h>

#include <utility>

namespace streamd::testing {
namespace {

constexpr std::size_t kMostLines = 60;

std::string rows_text(std::size_t n) { return n == 1 ? "1 row" : fmt::format("{} rows", n); }

void add_part(std::string& title, std::size_t n, const char* one, const char* many) {
  if (n == 0) return;
  title += fmt::format("{}{} {}", title.empty() ? "" : ", ", rows_text(n), n == 1 ? one : many);
}

std::string difference_text(const Difference& d) {
  if (d.expected == nullptr)
    return fmt::format("    {} is {}, and nobody expected that field", d.path, shown(d.actual));
  if (d.actual.is(Kind::missing))
    return fmt::format("    {} is missing, expected {}", d.path, json_of(*d.expected));
  return fmt::format("    {} is {}, expected {}", d.path, shown(d.actual), json_of(*d.expected));
}

// The diff of one place.
class RowDiff {
 public:
  RowDiff(const Look& look) : look_(look), actual_(read_rows(look.rows, 0, arena_)) {}

  std::optional<Finding> finding() {
    const Expected& expected = *look_.expected;
    const auto pairs = pair_rows(*expected.rows, actual_, expected.exact, expected.in_order);
    for (const auto& pair : pairs) add(pair);
    if (lines_.empty()) return std::nullopt;
    std::string title;
    add_part(title, different_, "differs", "differ");
    add_part(title, missing_, "is missing", "are missing");
    add_part(title, unexpected_, "was not expected", "were not expected");
    if (equal_ > 0) title += fmt::format(" ({} as expected)", equal_);
    return Finding{look_.name_place, fmt::format("{}: {}", look_.place, title), std::move(lines_)};
  }

 private:
  void add(const Pair& pair) {
    if (pair.equal) {
      ++equal_;
      return;
    }
    const ConfigNode* row = pair.expected ? &(*look_.expected->rows)[*pair.expected] : nullptr;
    if (row != nullptr) lines_.push_back("  - " + json_of(*row));
    if (pair.actual) lines_.push_back("  + " + look_.rows[*pair.actual]);
    if (row == nullptr) {
      ++unexpected_;
    } else if (!pair.actual) {
      ++missing_;
    } else {
      ++different_;
      const auto found = differences(*row, actual_[*pair.actual], look_.expected->exact);
      if (found.empty()) lines_.push_back("    it came, but not in this place of the order");
      for (const auto& d : found) lines_.push_back(difference_text(d));
    }
  }

  const Look& look_;
  Arena arena_;
  std::vector<Value> actual_;
  std::vector<std::string> lines_;
  std::size_t equal_ = 0, different_ = 0, missing_ = 0, unexpected_ = 0;
};

void check_count(const Look& look, std::vector<Finding>& findings) {
  const auto& count = look.expected->count;
  if (!count || *count == look.rows.size()) return;
  Finding finding{
      look.name_place,
      fmt::format("{}: {} came, expected {}", look.place, rows_text(look.rows.size()), *count),
      {}};
  for (const auto& row : look.rows) finding.lines.push_back("  + " + row);
  findings.push_back(std::move(finding));
}

void check_books(const Look& look, std::vector<Finding>& findings) {
  const auto check = [&](const char* name, std::uint64_t actual, std::uint64_t expected) {
    if (actual == expected) return;
    findings.push_back(
        {look.name_place,
         fmt::format("{}: {} is {}, expected {}", look.place, name, actual, expected),
         {}});
  };
  const Expected& e = *look.expected;
  if (e.in) check("in", look.books.in, *e.in);
  if (e.out) check("out", look.books.out, *e.out);
  if (e.dead_letters) check("dead_letters", look.books.dead_letters, *e.dead_letters);
  if (e.failed) check("failed", look.books.failed, *e.failed);
  if (e.clamped) check("clamped", look.books.clamped, *e.clamped);
  if (!e.dropped) return;
  for (std::size_t r = 0; r < kDropReasons; ++r) {
    const std::string reason(kDropReasonNames[r]);
    if (const auto* expected = find(*e.dropped, reason))
      check(("dropped." + reason).c_str(), look.books.dropped[r], *expected);
  }
}

Finding of_rows(Place place, std::string title, const std::vector<std::string>& rows) {
  Finding finding{place, std::move(title), {}};
  for (const auto& row : rows) finding.lines.push_back("  + " + row);
  return finding;
}

void cut(Finding& finding) {
  if (finding.lines.size() <= kMostLines) return;
  const std::size_t more = finding.lines.size() - kMostLines;
  finding.lines.resize(kMostLines);
  finding.lines.push_back(fmt::format("  … and {} lines more", more));
}

void check_look(const Look& look, std::vector<Finding>& findings) {
  if (look.expected == nullptr) {
    findings.push_back(of_rows(look.name_place,
                               fmt::format("{}: {} came after the case had looked at it last",
                                           look.place, rows_text(look.rows.size())),
                               look.rows));
    return;
  }
  if (look.expected->rows)
    if (auto finding = RowDiff(look).finding()) findings.push_back(std::move(*finding));
  check_count(look, findings);
  check_books(look, findings);
}

}  // namespace

std::vector<Finding> findings_of(const CaseRun& run, const Case& the_case) {
  std::vector<Finding> findings;
  const Place place = the_case.where.place;
  if (run.error) {
    Finding finding{place, "the run ended with an error: " + run.error->message, {}};
    if (!run.error->hint.empty()) finding.lines.push_back("  = help: " + run.error->hint);
    findings.push_back(std::move(finding));
  }
  for (const auto& look : run.looks) check_look(look, findings);
  if (!run.leftovers.empty())
    findings.push_back(of_rows(
        place,
        run.leftovers.size() == 1
            ? std::string("a dead letter that the case does not expect")
            : fmt::format("{} dead letters that the case does not expect", run.leftovers.size()),
        run.leftovers));
  for (const auto& [source, times] : run.clamped)
    findings.push_back(
        {place,
         fmt::format("source \"{}\": {} too far ahead of the virtual clock (max_future), and set "
                     "back to it",
                     source, times == 1 ? "a time was" : fmt::format("{} times were", times)),
         {fmt::format(
             "  = help: set start: to the records' time, or expect {{{}: {{clamped: {}}}}}", source,
             times)}});
  for (const auto& question : run.unanswered)
    findings.push_back({place,
                        question + ", and the test file has no answer",
                        {"  = help: add it below answers"}});
  for (auto& finding : findings) cut(finding);
  return findings;
}

}  // namespace streamd::testing
