// SPDX-License-Identifier: Apache-2.0
#include "tests/operators/operator_fixture.h"

using namespace streamd;
using namespace streamd::test;

TEST_CASE("Filter passes, counts and rejects each record once") {
  OperatorFixture f("filter", map_of({{"where", scalar("n > 5")}}), open_schema({"n"}));
  const Batch in = batch_of({{Value::int64(9), Value::int64(1), Value::missing(), Value::int64(7),
                              Value::string("x"), Value::int64(8)}});
  f.run(in.select({0, 1, 2, 3, 4}));
  REQUIRE(f.out.batches[0].size() == 2);
  CHECK(f.value("n", 0).as_int() == 9);
  CHECK(f.value("n", 1).as_int() == 7);
  CHECK(f.out.dropped[DropReason::filtered] == 1);
  REQUIRE(f.out.rejected.size() == 2);
  CHECK(f.out.rejected[0].row == 2);
  CHECK(f.out.rejected[1].row == 4);
  CHECK(f.out.rejected[0].code == "expression");
  CHECK_FALSE(f.out.rejected[0].reason.empty());
}

TEST_CASE("Filter asks for the fields of its expression too") {
  OperatorFixture f("filter", map_of({{"where", scalar("status >= 400 && host != ''")}}),
                    open_schema({"status", "host"}));
  Needs wanted;
  wanted.fields = {"client"};
  CHECK(f.plan->needs(wanted).fields == std::set<std::string>{"client", "host", "status"});
}

TEST_CASE("A condition that is no condition is reported") {
  CHECK(OperatorFixture("filter", map_of({{"where", scalar("1 + 1")}}), open_schema({}))
            .problems.errors() == 1);
  CHECK(OperatorFixture("filter", map_of({{"where", scalar("n >")}}), open_schema({}))
            .problems.errors() == 1);
}
