// SPDX-License-Identifier: Apache-2.0
// Program::select: kept rows, failed rows with reasons, selections.
#include "tests/engine/expr/expr_support.h"
#include "tests/support/catch.h"

using namespace streamd;
using namespace streamd::expr_test;

namespace {

struct Outcome {
  std::vector<std::uint32_t> kept;
  std::vector<std::pair<std::uint32_t, std::string>> failed;
};

Outcome condition(const std::string& text, const Table& t) {
  Diagnostics problems;
  const auto program = expr::Expression::parse({text, {}}, problems)->bind(t.schema, problems);
  REQUIRE(program);
  Arena arena;
  Outcome out;
  std::vector<expr::Program::Failure> failed;
  program->select(t.batch, arena, out.kept, failed);
  for (const auto& f : failed) out.failed.emplace_back(f.row, f.reason);
  return out;
}

using Rows32 = std::vector<std::uint32_t>;

const Table& requests() {
  static const Table t =
      table({{"status",
              {Value::int64(200), Value::int64(404), Value::string("404"), Value::missing(),
               Value::float64(450.5), Value::null()}},
             {"path",
              {Value::string("/"), Value::string("/admin.php"), Value::string(""),
               Value::string("/admin"), Value::int64(3), Value::missing()}},
             {"ok",
              {Value::boolean(true), Value::boolean(false), Value::boolean(true), Value::missing(),
               Value::int64(1), Value::boolean(true)}}});
  return t;
}

}  // namespace

TEST_CASE("a condition keeps true rows and names the failed ones") {
  const Outcome out = condition("status >= 400 && status < 500", requests());
  CHECK(out.kept == Rows32{1, 4});
  REQUIRE(out.failed.size() == 3);
  CHECK(out.failed[0] == std::pair<std::uint32_t, std::string>{
                             2, "no matching overload: string >= int; convert the field first"});
  CHECK(out.failed[1] == std::pair<std::uint32_t, std::string>{3, "no such field \"status\""});
  CHECK(out.failed[2].second == "no matching overload: null >= int");
}

TEST_CASE("absorption works for columns as for records") {
  CHECK(condition("status > 400 || true", requests()).failed.empty());
  CHECK(condition("status > 400 || ok", requests()).kept == Rows32{0, 1, 2, 4, 5});
  CHECK(condition("status > 400 && false", requests()).failed.empty());
  CHECK(condition("!(status > 400)", requests()).kept == Rows32{0});
}

TEST_CASE("a value that is no bool is a failure") {
  const Outcome out = condition("ok", requests());
  CHECK(out.kept == Rows32{0, 2, 5});
  REQUIRE(out.failed.size() == 2);
  CHECK(out.failed[0].second == "no such field \"ok\"");
  CHECK(out.failed[1].second == "the condition gives int, not bool");
}

TEST_CASE("only selected rows are looked at") {
  Table t{requests().schema, requests().batch.select({1, 3})};
  const Outcome out = condition("400 <= status", t);
  CHECK(out.kept == Rows32{1});
  REQUIRE(out.failed.size() == 1);
  CHECK(out.failed[0].first == 3);
  Table none{requests().schema, requests().batch.select({})};
  CHECK(condition("status > 1", none).kept.empty());
}

TEST_CASE("text tests and sets work on columns") {
  CHECK(condition("path.contains('admin')", requests()).kept == Rows32{1, 3});
  CHECK(condition("path.startsWith('/')", requests()).failed.size() == 2);
  CHECK(condition("path.matches('php$')", requests()).kept == Rows32{1});
  CHECK(condition("status in [404, 450.5, 'x']", requests()).kept == Rows32{1, 4});
  CHECK(condition("status in ['404']", requests()).failed.size() == 1);
  CHECK(condition("has(status) && !has(path)", requests()).kept == Rows32{5});
  CHECK(condition("status == null", requests()).kept == Rows32{5});
  const Outcome known = condition("status != null", requests());
  CHECK(known.kept == Rows32{0, 1, 2, 4});
  REQUIRE(known.failed.size() == 1);
  CHECK(known.failed[0].first == 3);
}
