// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/replay_path.h"

#include "tests/engine/plan/plan_text.h"
#include "tests/support/catch.h"

using namespace streamd;

namespace {

using Names = std::vector<std::string>;

Plan shop() {
  Diagnostics problems;
  auto plan = fake::plan_of(
      "pipeline: shop\n"
      "sources:\n"
      "  s: {type: lines, path: a}\n"
      "  t: {type: lines, path: b}\n"
      "operators:\n"
      "  f: {type: filter, input: s, where: x == '1'}\n"
      "  g: {type: filter, input: f, where: y == '1'}\n"
      "  h: {type: filter, input: [g, s, t], where: z == '1'}\n"
      "  c: {type: count, input: f, by: host, size: 1m}\n"
      "sinks:\n"
      "  raw: {type: out, input: f}\n"
      "  found: {type: out, input: h}\n"
      "  counts: {type: out, input: c}\n",
      problems);
  REQUIRE(plan);
  return std::move(*plan);
}

// "from>to" of all inputs that are open.
Names open(const Plan& plan) {
  Names names;
  for (const auto& node : plan.nodes)
    for (const auto& input : node.inputs)
      if (!input.closed) names.push_back(plan.nodes[input.node].name + ">" + node.name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("what a sink refused goes to that sink alone") {
  Plan plan = shop();
  CHECK(open_path_to(plan, "raw") == Names{"g", "h", "c", "found", "counts"});
  CHECK(open(plan) == Names{"f>raw", "s>f"});
}

TEST_CASE("what an operator refused goes to it and on, not to others once more") {
  Plan plan = shop();
  CHECK(open_path_to(plan, "g") == Names{"c", "raw", "counts"});
  // h had it from s already.
  CHECK(open(plan) == Names{"f>g", "g>h", "h>found", "s>f"});
  CHECK(open_path_to(plan, "f").empty());
  CHECK(open(plan) == Names{"c>counts", "f>c", "f>g", "f>raw", "g>h", "h>found", "s>f"});
}

TEST_CASE("all ways that lead to a node are open") {
  Plan plan = shop();
  CHECK(open_path_to(plan, "found") == Names{"c", "raw", "counts"});
  CHECK(open(plan) == Names{"f>g", "g>h", "h>found", "s>f", "s>h", "t>h"});
}

TEST_CASE("what a source refused, or a node that is gone, goes everywhere") {
  Plan plan = shop();
  const Names everything = open(plan);
  for (const char* name : {"s", "t", "gone", ""}) {
    open_path_to(plan, "raw");
    CHECK(open_path_to(plan, name).empty());
    CHECK(open(plan) == everything);
  }
}
