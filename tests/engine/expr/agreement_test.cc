// SPDX-License-Identifier: Apache-2.0
// Random expressions over records of mixed kinds: a column at a time, a selection, single-row
// batches and a record at a time must all agree.
#include "tests/engine/expr/expr_support.h"
#include "tests/support/catch.h"

#include <random>

using namespace streamd;
using namespace streamd::expr_test;

namespace {

constexpr std::uint32_t kRows = 40;
constexpr unsigned kSeed = 20260131;

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }

  Value value() {
    switch (below(13)) {
      case 0: return Value::missing();
      case 1: return Value::null();
      case 2: return Value::boolean(below(2) == 0);
      case 3: return Value::float64(below(5) * 0.5);
      case 4: return Value::uint64(below(4));
      case 5: return Value::string(literal({"", "a", "abc", "3", "10.0.0.1"}));
      case 6: return Value::json(literal({"[1,\"a\",2.5]", "{\"a\":1}", "[]", "[oops"}));
      case 7: return Value::timestamp({below(3) * 1'000'000});
      case 8: return Value::duration(below(3));
      default: return Value::int64(static_cast<std::int64_t>(below(6)) - 2);
    }
  }
  std::string text(int depth) {
    if (depth == 0) return leaf();
    const auto sub = [&] { return text(depth - 1 - static_cast<int>(below(2)) * (depth > 1)); };
    switch (below(14)) {
      case 0: return "(" + sub() + pick({" + ", " - ", " * ", " / ", " % "}) + sub() + ")";
      case 1:
      case 2:
        return "(" + sub() + pick({" == ", " != ", " < ", " <= ", " > ", " >= "}) + sub() + ")";
      case 3: return "(" + sub() + " && " + sub() + " && " + sub() + ")";
      case 4: return "(" + sub() + " || " + sub() + ")";
      case 5: return "!(" + sub() + ")";
      case 6: return "(" + sub() + " ? " + sub() + " : " + sub() + ")";
      case 7: return "(" + sub() + " in [1, 'a', 2.5, dyn(3u)])";
      case 8:
        return "dyn(" + sub() + ")" +
               pick({".startsWith('a')", ".contains('b')", ".matches('^a')", ".size()"});
      case 9:
        return "[" + sub() + ", " + sub() + "]" +
               pick({"[0]", ".exists(v, v == x)", ".map(v, v)", ".size()"});
      case 10: return "int(dyn(" + sub() + "))";
      case 11: return "(" + sub() + " in dyn(" + sub() + "))";
      case 12: return "has(" + pick({"x", "y", "z", "z.a", "absent"}) + ")";
      default: return "-(" + sub() + ")";
    }
  }

 private:
  std::string leaf() {
    return pick({"x", "y", "z", "x", "y", "1", "2.5", "'a'", "true", "false", "null", "3u", "z[0]",
                 "z.a", "duration('1s')", "absent"});
  }
  std::string pick(std::initializer_list<const char*> from) { return literal(from); }
  const char* literal(std::initializer_list<const char*> from) {
    return from.begin()[below(static_cast<unsigned>(from.size()))];
  }
  std::mt19937 random_;
};

Table random_table(Generator& g) {
  std::vector<Input> inputs = {{"x", {}}, {"y", {}}, {"z", {}}};
  for (Input& input : inputs)
    for (std::uint32_t r = 0; r < kRows; ++r) input.values.push_back(g.value());
  return table(inputs, true);
}

std::string detail(const Value& v) {
  return v.is(Kind::error) ? "error: " + std::string(v.text()) : shown(v);
}

}  // namespace

TEST_CASE("columns, selections and single records agree on random expressions") {
  Generator g(kSeed);
  const Table t = random_table(g);
  std::vector<std::uint32_t> odd;
  for (std::uint32_t r = 1; r < kRows; r += 2) odd.push_back(r);
  const Batch half = t.batch.select(odd);
  int bound = 0;
  for (int round = 0; round < 3000; ++round) {
    const std::string text = g.text(3);
    Diagnostics problems;
    const auto parsed = expr::Expression::parse({text, {}}, problems);
    REQUIRE(parsed);
    const auto program = parsed->bind(t.schema, problems);
    if (!program) continue;
    ++bound;
    Arena arena;
    std::vector<Value> all, some;
    std::vector<std::uint32_t> kept;
    std::vector<expr::Program::Failure> failed;
    program->evaluate(t.batch, arena, all);
    program->evaluate(half, arena, some);
    program->select(t.batch, arena, kept, failed);
    std::size_t k = 0, f = 0;
    bool same = true;
    for (std::uint32_t r = 0; r < kRows && same; ++r) {
      const std::string alone = detail(program->evaluate_row(t.batch, r, arena));
      same = detail(all[r]) == alone && (r % 2 == 0 || detail(some[r]) == alone);
      const bool is_kept = k < kept.size() && kept[k] == r;
      const bool is_failed = f < failed.size() && failed[f].row == r;
      k += is_kept;
      f += is_failed;
      same = same && is_kept == (alone == "bool true") &&
             is_failed == (alone != "bool true" && alone != "bool false");
      if (!same)
        UNSCOPED_INFO("row " << r << ": column " << detail(all[r]) << ", record " << alone);
    }
    INFO(text);
    REQUIRE(same);
  }
  CHECK(bound > 500);
}
