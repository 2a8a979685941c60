// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/findings.h"

#include "engine/testing/check.h"
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

// The diff of one place: of its rows, or of what it sends.
class RowDiff {
 public:
  RowDiff(const Look& look, const std::vector<ConfigNode>& expected,
          const std::vector<std::string>& came)
      : look_(look),
        expected_(expected),
        came_(came),
        exact_(look.expected->exact),
        actual_(read_rows(came, 0, arena_)) {}

  // `what`: the place, or what of it.
  std::optional<Finding> finding(const std::string& what) {
    for (const auto& pair : pair_rows(expected_, actual_, exact_, look_.expected->in_order))
      add(pair);
    if (lines_.empty()) return std::nullopt;
    std::string title;
    add_part(title, different_, "differs", "differ");
    add_part(title, missing_, "is missing", "are missing");
    add_part(title, unexpected_, "was not expected", "were not expected");
    if (equal_ > 0) title += fmt::format(" ({} as expected)", equal_);
    return Finding{look_.name_place, fmt::format("{}: {}", what, title), std::move(lines_)};
  }

 private:
  void add(const Pair& pair) {
    if (pair.equal) {
      ++equal_;
      return;
    }
    const ConfigNode* row = pair.expected ? &expected_[*pair.expected] : nullptr;
    if (row != nullptr) lines_.push_back("  - " + json_of(*row));
    if (pair.actual) lines_.push_back("  + " + came_[*pair.actual]);
    if (row == nullptr) {
      ++unexpected_;
    } else if (!pair.actual) {
      ++missing_;
    } else {
      ++different_;
      const auto found = differences(*row, actual_[*pair.actual], exact_);
      if (found.empty()) lines_.push_back("    it came, but not in this place of the order");
      for (const auto& d : found) lines_.push_back(difference_text(d));
    }
  }

  const Look& look_;
  const std::vector<ConfigNode>& expected_;
  const std::vector<std::string>& came_;
  const bool exact_;
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
  const auto compare = [&](const std::optional<std::vector<ConfigNode>>& expected,
                           const std::vector<std::string>& came, const std::string& what) {
    if (!expected) return;
    if (auto finding = RowDiff(look, *expected, came).finding(what))
      findings.push_back(std::move(*finding));
  };
  compare(look.expected->rows, look.rows, look.place);
  compare(look.expected->sent, look.sent, look.place + " sent");
  check_count(look, findings);
  check_books(look, findings);
}

// Answers of the case itself; of those of the file each case needs some.
void check_answered(const CaseRun& run, const Case& the_case, std::vector<Finding>& findings) {
  each_step(the_case, [&](const Step& step) {
    for (const auto& [node, place, answers] : step.answers)
      for (const auto& answer : answers.items)
        if (answer.key.empty() && !run.answered.contains(&answer))
          findings.push_back(
              {answer.place,
               fmt::format("\"{}\" never asks for this answer", node),
               {"  = help: remove it, or let the case go on until it is asked for"}});
  });
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
  for (const auto& [node, question, below] : run.unanswered)
    findings.push_back(
        {below.line == 0 ? place : below,
         fmt::format("\"{}\" asks {}, and the test file has no answer", node, question),
         {"  = help: add it below answers"}});
  if (!run.error) check_answered(run, the_case, findings);
  for (auto& finding : findings) cut(finding);
  return findings;
}

}  // namespace streamd::testing
