// SPDX-License-Identifier: Apache-2.0
#include "engine/watch/tap_filter.h"

#include "tests/engine/watch/json_batch.h"
#include "tests/support/catch.h"

using namespace streamd;
using namespace streamd::test;

namespace {

Schema open_schema() {
  Schema schema;
  schema.open = true;
  schema.fields = {{"status", Type::int64, false}};
  schema.hidden = {"gone"};
  return schema;
}

struct Found {
  std::vector<std::uint32_t> rows;
  std::uint64_t failed = 0;
  std::string why;
};

Found found(const std::string& condition, const Batch& batch,
            const Schema& schema = open_schema()) {
  Diagnostics problems;
  auto filter = TapFilter::make(condition, schema, problems);
  for (const auto& problem : problems.all()) UNSCOPED_INFO(problem.message);
  REQUIRE(filter);
  Found out;
  filter->select(batch, out.rows);
  out.failed = filter->failed();
  out.why = filter->first_failure();
  return out;
}

using Kept = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("columns and fields that only the bytes hold are both known", "[watch]") {
  const Batch batch = json_batch({R"({"status":1,"host":"a","geo":{"city":"Bern"}})",
                                  R"({"status":2,"host":"b","geo":{"city":"Chur"}})",
                                  R"({"status":3,"host":"b","geo":{"city":"Bern"}})"},
                                 {Value::int64(1), Value::int64(2), Value::int64(3)});
  CHECK(found("status > 1", batch).rows == Kept{1, 2});
  CHECK(found("host == 'b'", batch).rows == Kept{1, 2});
  CHECK(found("host == 'b' && geo.city == 'Bern' && status == 3", batch).rows == Kept{2});
  CHECK(found("host == 'b'", batch.select({0, 2})).rows == Kept{2});
}

TEST_CASE("records that lack a field have no answer, and are counted with the reason", "[watch]") {
  const Batch batch = json_batch({R"({"host":"a"})", R"({})", R"({"host":null})"},
                                 {Value::int64(1), Value::int64(2), Value::int64(3)});
  const Found all = found("host == 'a'", batch);
  CHECK(all.rows == Kept{0});
  CHECK(all.failed == 1);
  CHECK(all.why.find("host") != std::string::npos);
  CHECK(found("has(host) && host == 'a'", batch).failed == 0);
}

TEST_CASE("a field that a node has removed is not read from the bytes again", "[watch]") {
  Diagnostics problems;
  CHECK_FALSE(TapFilter::make("has(gone)", open_schema(), problems));
  CHECK_FALSE(TapFilter::make("gone.inside == 1", open_schema(), problems));
  REQUIRE(problems.errors() == 2);
  CHECK(problems.all().front().message.find("was removed") != std::string::npos);
}

TEST_CASE("a condition that does not compile is told with its place", "[watch]") {
  const auto problem = [](const std::string& condition, const Schema& schema) {
    Diagnostics problems;
    CHECK_FALSE(TapFilter::make(condition, schema, problems));
    REQUIRE(problems.errors() == 1);
    return problems.all().front();
  };
  const auto syntax = problem("status >", open_schema());
  CHECK(syntax.place.line == 1);
  CHECK(syntax.place.column > 1);
  Schema closed;
  closed.fields = {{"requests", Type::int64, true}};
  const auto unknown = problem("requsts > 10", closed);
  CHECK(unknown.message.find("requsts") != std::string::npos);
  CHECK(unknown.place.column == 1);
  CHECK_FALSE(problem("requests + 'a' == 'b'", closed).message.empty());
}
