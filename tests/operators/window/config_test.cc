// SPDX-License-Identifier: Apache-2.0
#include "tests/operators/window/harness.h"
#include "tests/support/catch.h"

namespace streamd::test {
namespace {

ConfigNode with(std::vector<std::pair<std::string, ConfigNode>> changes) {
  std::vector<std::pair<std::string, ConfigNode>> entries = {
      {"window", map_of({{"tumbling", scalar("1s")}})},
      {"by", list_of({"k"})},
      {"compute", map_of({{"n", scalar("count()")}})}};
  for (auto& [key, value] : changes) {
    bool found = false;
    for (auto& entry : entries)
      if (entry.first == key) {
        entry.second = value;
        found = true;
      }
    if (!found) entries.emplace_back(key, value);
  }
  return map_of(std::move(entries));
}

std::vector<std::string> codes(const ConfigNode& config) {
  Diagnostics problems;
  auto plan = make_plan(config, problems);
  if (plan) plan->bind(test_schema(), problems);
  std::vector<std::string> out;
  for (const auto& p : problems.all()) out.push_back(p.code);
  return out;
}

std::vector<std::string> compute_codes(const std::string& text) {
  return codes(with({{"compute", map_of({{"v", scalar(text)}})}}));
}

using Codes = std::vector<std::string>;

}  // namespace

TEST_CASE("a window's configuration is checked with all its parts", "[window]") {
  CHECK(codes(with({})).empty());
  CHECK(codes(with({{"window", map_of({{"sliding", scalar("1s")}, {"every", scalar("2s")}})}})) ==
        Codes{"bad-window"});
  CHECK(codes(with({{"window", map_of({{"session", map_of({{"gap", scalar("2s")},
                                                           {"max", scalar("1s")}})}})}})) ==
        Codes{"bad-window"});
  CHECK(codes(with({{"window", map_of({{"tumbling", scalar("0s")}})}})).size() == 1);
  CHECK(codes(with({{"window", map_of({{"tumblin", scalar("1s")}})}})) == Codes{"unknown-key"});
  CHECK(codes(with({{"window", scalar("1m")}})).size() == 1);
  CHECK(codes(with({{"window", map_of({{"sliding", scalar("1s")}})}})).size() == 1);
  CHECK(codes(with({{"emit", scalar("threshold")}})).size() == 1);
  CHECK(codes(with({{"by", list_of({"z"})}})) == Codes{"unknown-field"});
  CHECK(codes(with({{"by", list_of({"k", "k"})}})) == Codes{"duplicate-name"});
  CHECK(codes(with({{"compute", map_of({{"k", scalar("count()")}})}})) == Codes{"duplicate-name"});
  CHECK(codes(with({{"having", scalar("n > 'a'")}})).size() == 1);
  CHECK(codes(with({{"having", scalar("n + 1")}})) == Codes{"type-mismatch"});
}

TEST_CASE("one mistake in a window does not hide the others", "[window]") {
  CHECK(codes(with({{"max_key", scalar("10")}, {"having", scalar("n + 1")}})) ==
        Codes{"unknown-key", "type-mismatch"});
  CHECK(codes(with({{"where", scalar("x >")}, {"having", scalar("n + 1")}})).size() == 2);
  CHECK(codes(with({{"window", map_of({{"slidin", scalar("20s")}, {"every", scalar("1x")}})}}))
            .size() == 2);
  CHECK(codes(with({{"window", map_of({{"tumbling", scalar("x")}, {"evry", scalar("1s")}})}}))
            .size() == 2);
  // `having` is not blamed for the field that is missing.
  CHECK(codes(with({{"compute", map_of({{"n", scalar("coutn()")}, {"m", scalar("sum(zz)")}})},
                    {"having", scalar("n > 1")}}))
            .size() == 2);
}

TEST_CASE("compute takes texts in all the ways that expressions write them", "[window]") {
  for (const char* good : {R"x(count(k == r'\'))x", R"x(distinct(k.replace(r"\", ")")))x",
                           R"x(count(k == '''it's ) , '''))x", R"x(count(k == "a\"),("))x",
                           "count(k == 'a' // it's (all\n || k == 'b')", R"x(top(k + r'\', 3))x"}) {
    CAPTURE(good);
    CHECK(compute_codes(good).empty());
  }
  CHECK(compute_codes("count(k == 'a)") == Codes{"bad-compute"});
  CHECK(compute_codes("count(k == 'a' // b)") == Codes{"bad-compute"});
}

TEST_CASE("compute takes one call of a known function", "[window]") {
  for (const char* good : {"count()", " sum( x ) ", "count(x > 1)", "top(x, 5)", "quantile(x, 0.9)",
                           "max(x * 2)", "first('a,b)' + k)", "rate()"})
    CHECK(compute_codes(good).empty());
  for (const char* bad :
       {"count", "summ(x)", "sum()", "sum(x, x)", "top(x)", "top(x, 0)", "top(x, 1.5)",
        "quantile(x, 2)", "quantile(x, y)", "sum(x) + 1", "sum(x", "rate(x)", "", "sum('a'"}) {
    INFO(bad);
    CHECK(compute_codes(bad).size() == 1);
  }
  CHECK(compute_codes("sum('a')") == Codes{"type-mismatch"});
  CHECK(compute_codes("sum(x +)").size() >= 1);
}

TEST_CASE("the result has the keys, the values and the window", "[window]") {
  Node node(with({{"compute", map_of({{"n", scalar("count()")},
                                      {"t", scalar("top(x, 2)")},
                                      {"m", scalar("max(x)")}})}}),
            1);
  std::vector<std::string> names;
  for (const auto& f : node.out.schema.fields) names.push_back(f.name);
  CHECK(names == std::vector<std::string>{"k", "n", "t", "m", "window_start", "window_end"});
  CHECK_FALSE(node.out.schema.open);
  CHECK(node.out.schema.fields[1].type == Type::int64);
  CHECK(node.out.schema.fields[2].type == Type::json);
  CHECK(node.out.schema.fields[5].type == Type::timestamp);
}

TEST_CASE("the state signature tells key, window and functions apart and nothing else",
          "[window]") {
  const auto signature = [](const ConfigNode& config) {
    return bound_plan(config)->state_signature();
  };
  const std::string base = signature(with({}));
  CHECK(signature(with({{"having", scalar("n > 3")}, {"emit", scalar("changed")}})) == base);
  CHECK(signature(with({{"by", list_of({"x"})}})) != base);
  CHECK(signature(with({{"window", map_of({{"tumbling", scalar("2s")}})}})) != base);
  CHECK(signature(with({{"compute", map_of({{"n", scalar("sum(x)")}})}})) != base);
}

}  // namespace streamd::test
