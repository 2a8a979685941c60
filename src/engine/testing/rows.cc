// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/rows.h"

#include "engine/codec/time_format.h"
#include "engine/expr/json_reader.h"
#include "engine/testing/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>

namespace streamd::testing {
namespace {

using Shape = ConfigNode::Shape;

// What sums and averages may differ by without being another result.
constexpr double kTolerance = 1e-9;
// Above this the rest is not paired by resemblance: nobody reads that much.
constexpr std::size_t kMostPaired = 300;

double number_of(const Value& value) {
  if (value.is(Kind::int64)) return static_cast<double>(value.as_int());
  if (value.is(Kind::uint64)) return static_cast<double>(value.as_uint());
  return value.as_double();
}
bool is_number(const Value& value) {
  return value.is(Kind::int64) || value.is(Kind::uint64) || value.is(Kind::float64);
}

bool same_number(const std::string& expected, const Value& actual) {
  if (!is_number(actual)) return false;
  std::int64_t whole = 0;
  const char* const end = expected.data() + expected.size();
  if (std::from_chars(expected.data(), end, whole).ptr == end && actual.is(Kind::int64))
    return whole == actual.as_int();
  double wanted = 0;
  std::from_chars(expected.data(), end, wanted);
  const double got = number_of(actual);
  return wanted == got ||
         std::abs(wanted - got) <= kTolerance * std::max(std::abs(wanted), std::abs(got));
}

bool same_text(const ConfigNode& expected, const Value& actual) {
  if (!actual.is(Kind::string)) return false;
  if (actual.text() == expected.text) return true;
  const auto wanted = parse_rfc3339(expected.text);
  const auto got = wanted ? parse_rfc3339(actual.text()) : std::nullopt;
  return got && wanted->time == got->time && wanted->nanos == got->nanos;
}

bool same_scalar(const ConfigNode& expected, const Value& actual) {
  switch (scalar_kind(expected)) {
    case ScalarKind::null: return actual.is(Kind::null);
    case ScalarKind::boolean:
      return actual.is(Kind::boolean) && actual.as_bool() == (expected.text == "true");
    case ScalarKind::number: return same_number(expected.text, actual);
    case ScalarKind::text: return same_text(expected, actual);
  }
  return false;
}

std::string below(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
}

class Comparison {
 public:
  explicit Comparison(bool exact) : exact_(exact) {}

  void compare(const ConfigNode& expected, const Value& actual, const std::string& path) {
    if (expected.shape == Shape::map && actual.is(Kind::map)) return maps(expected, actual, path);
    if (expected.shape == Shape::list && actual.is(Kind::list))
      return lists(expected, actual, path);
    const bool scalar = expected.shape == Shape::scalar || expected.shape == Shape::null;
    if (!scalar || !same_scalar(expected, actual)) found.push_back({path, &expected, actual});
  }

  std::vector<Difference> found;

 private:
  void maps(const ConfigNode& expected, const Value& actual, const std::string& path) {
    for (const auto& [key, value] : expected.entries) {
      Value own = expr::member(actual, key.text);
      if (own.is(Kind::missing)) own = expr::at_path(actual, key.text);
      compare(value, own, below(path, key.text));
    }
    if (!exact_) return;
    for (std::uint32_t i = 0; i < actual.size(); ++i) {
      const std::string_view name = actual.items()[2 * i].text();
      const bool known =
          std::any_of(expected.entries.begin(), expected.entries.end(), [&](const ConfigEntry& e) {
            const std::string& key = e.first.text;
            return key == name || (key.starts_with(name) && key[name.size()] == '.');
          });
      if (!known) found.push_back({below(path, name), nullptr, actual.items()[2 * i + 1]});
    }
  }

  void lists(const ConfigNode& expected, const Value& actual, const std::string& path) {
    if (expected.items.size() != actual.size()) {
      found.push_back({path, &expected, actual});
      return;
    }
    for (std::uint32_t i = 0; i < actual.size(); ++i)
      compare(expected.items[i], actual.items()[i], below(path, std::to_string(i)));
  }

  const bool exact_;
};

using Equal = std::function<bool(std::size_t expected, std::size_t actual)>;

// Augmenting paths: a row that fits many must not take the only one that another fits.
std::vector<std::optional<std::size_t>> match_any(std::size_t expected, std::size_t actual,
                                                  const Equal& equal) {
  std::vector<std::optional<std::size_t>> of_actual(actual), of_expected(expected);
  std::vector<char> seen;
  const std::function<bool(std::size_t)> place = [&](std::size_t e) {
    for (std::size_t a = 0; a < actual; ++a) {
      if (seen[a] != 0 || !equal(e, a)) continue;
      seen[a] = 1;
      if (of_actual[a] && !place(*of_actual[a])) continue;
      of_actual[a] = e;
      return true;
    }
    return false;
  };
  for (std::size_t e = 0; e < expected; ++e) {
    seen.assign(actual, 0);
    place(e);
  }
  for (std::size_t a = 0; a < actual; ++a)
    if (of_actual[a]) of_expected[*of_actual[a]] = a;
  return of_expected;
}

// The longest common run.
std::vector<std::optional<std::size_t>> match_in_order(std::size_t expected, std::size_t actual,
                                                       const Equal& equal) {
  std::vector<std::vector<std::uint32_t>> best(expected + 1,
                                               std::vector<std::uint32_t>(actual + 1));
  for (std::size_t e = expected; e-- > 0;)
    for (std::size_t a = actual; a-- > 0;)
      best[e][a] = equal(e, a) ? best[e + 1][a + 1] + 1 : std::max(best[e + 1][a], best[e][a + 1]);
  std::vector<std::optional<std::size_t>> of_expected(expected);
  for (std::size_t e = 0, a = 0; e < expected && a < actual;) {
    if (equal(e, a)) {
      of_expected[e++] = a++;
    } else if (best[e + 1][a] >= best[e][a + 1]) {
      ++e;
    } else {
      ++a;
    }
  }
  return of_expected;
}

// Pairs what is left over: the fewest differences first, and never rows that share nothing.
void pair_rest(const std::vector<ConfigNode>& expected, const std::vector<Value>& actual,
               bool exact, std::vector<Pair>& pairs, std::vector<char>& taken) {
  struct Candidate {
    std::size_t different, pair, actual;
  };
  std::vector<Candidate> candidates;
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    if (pairs[p].actual) continue;
    const ConfigNode& row = expected[*pairs[p].expected];
    for (std::size_t a = 0; a < actual.size(); ++a) {
      if (taken[a] != 0) continue;
      const std::size_t different = differences(row, actual[a], exact).size();
      if (different < row.entries.size() || row.entries.size() == 1)
        candidates.push_back({different, p, a});
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const auto& a, const auto& b) { return a.different < b.different; });
  for (const auto& candidate : candidates) {
    if (pairs[candidate.pair].actual || taken[candidate.actual] != 0) continue;
    pairs[candidate.pair].actual = candidate.actual;
    taken[candidate.actual] = 1;
  }
}

}  // namespace

std::vector<Value> read_rows(const std::vector<std::string>& rows, std::size_t from, Arena& arena) {
  std::vector<Value> read;
  for (std::size_t i = from; i < rows.size(); ++i) read.push_back(expr::read_json(rows[i], arena));
  return read;
}

std::vector<Difference> differences(const ConfigNode& expected, const Value& actual, bool exact) {
  Comparison comparison(exact);
  comparison.compare(expected, actual, "");
  return std::move(comparison.found);
}

std::vector<Pair> pair_rows(const std::vector<ConfigNode>& expected,
                            const std::vector<Value>& actual, bool exact, bool in_order) {
  const std::size_t n = expected.size(), m = actual.size();
  std::vector<char> equal(n * m);
  for (std::size_t e = 0; e < n; ++e)
    for (std::size_t a = 0; a < m; ++a)
      equal[e * m + a] = differences(expected[e], actual[a], exact).empty() ? 1 : 0;
  const Equal is_equal = [&](std::size_t e, std::size_t a) { return equal[e * m + a] != 0; };
  const auto matched = in_order ? match_in_order(n, m, is_equal) : match_any(n, m, is_equal);
  std::vector<Pair> pairs;
  std::vector<char> taken(m);
  for (std::size_t e = 0; e < n; ++e) {
    pairs.push_back({e, matched[e], matched[e].has_value()});
    if (matched[e]) taken[*matched[e]] = 1;
  }
  if (n <= kMostPaired && m <= kMostPaired) pair_rest(expected, actual, exact, pairs, taken);
  for (std::size_t a = 0; a < m; ++a)
    if (taken[a] == 0) pairs.push_back({std::nullopt, a, false});
  return pairs;
}

}  // namespace streamd::testing
