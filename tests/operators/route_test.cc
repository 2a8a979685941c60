// SPDX-License-Identifier: Apache-2.0
#include "tests/operators/operator_fixture.h"

using namespace streamd;
using namespace streamd::test;

namespace {

// What went where, as "port:numbers".
class Sorted final : public Emitter {
 public:
  void emit(const Batch& batch, Port port) override {
    REQUIRE(is_route(port));
    for (std::size_t i = 0; i < batch.size(); ++i)
      to[route_of(port)].push_back(batch.at(0, i).as_int());
  }
  void drop(DropReason reason, std::size_t records) override { dropped[reason] += records; }
  void reject(const Batch& batch, std::size_t i, const Fault&) override {
    rejected.push_back(batch.physical(i));
  }
  void fail(const Batch&, std::size_t, const Fault&) override { FAIL("no results here"); }
  std::map<std::size_t, std::vector<std::int64_t>> to;
  std::map<DropReason, std::size_t> dropped;
  std::vector<std::uint32_t> rejected;
};

using Sent = std::map<std::size_t, std::vector<std::int64_t>>;

ConfigNode routes(std::vector<std::pair<std::string, ConfigNode>> more = {}) {
  more.insert(more.begin(),
              {"routes", map_of({{"big", scalar("n > 5")}, {"even", scalar("n % 2 == 0")}})});
  return map_of(std::move(more));
}

Sorted sent(const ConfigNode& fields, const Batch& in) {
  OperatorFixture f("route", fields, open_schema({"n"}));
  REQUIRE(f.problems.errors() == 0);
  Sorted out;
  REQUIRE(f.plan->make({})->on_batch(in, out));
  return out;
}

const Batch& some() {
  static const Batch batch = batch_of(
      {{Value::int64(8), Value::int64(7), Value::int64(4), Value::int64(3), Value::string("x")}});
  return batch;
}

}  // namespace

TEST_CASE("A record goes to the first route that takes it") {
  const Sorted out = sent(routes(), some());
  CHECK(out.to == Sent{{0, {8, 7}}, {1, {4}}});
  CHECK(out.dropped == std::map<DropReason, std::size_t>{{DropReason::filtered, 1}});
  CHECK(out.rejected == std::vector<std::uint32_t>{4});
}

TEST_CASE("With mode all a record goes to every route that takes it") {
  const Sorted out = sent(routes({{"mode", scalar("all")}}), some().select({0, 1, 3}));
  CHECK(out.to == Sent{{0, {8, 7}}, {1, {8}}});
  CHECK(OperatorFixture("route", routes({{"mode", scalar("all")}}), open_schema({"n"}))
            .plan->passes_records() == false);
}

TEST_CASE("Other records leave by the route that is named for them") {
  const Sorted out = sent(routes({{"otherwise", scalar("rest")}}), some());
  CHECK(out.to == Sent{{0, {8, 7}}, {1, {4}}, {2, {3}}});
  CHECK(out.dropped.empty());
  CHECK(out.rejected.size() == 1);
}

TEST_CASE("A record for which a later condition fails goes nowhere") {
  const ConfigNode fields =
      map_of({{"routes", map_of({{"all", scalar("true")}, {"bad", scalar("10 / n > 1")}})},
              {"mode", scalar("all")}});
  const Sorted out = sent(fields, batch_of({{Value::int64(0), Value::int64(2)}}));
  CHECK(out.to == Sent{{0, {2}}, {1, {2}}});
  CHECK(out.rejected == std::vector<std::uint32_t>{0});
}

TEST_CASE("Wrong routes are reported") {
  const auto errors = [](const ConfigNode& fields) {
    return OperatorFixture("route", fields, open_schema({"n"})).problems.errors();
  };
  CHECK(errors(map_of({})) == 1);
  CHECK(errors(map_of({{"routes", map_of({})}})) == 1);
  CHECK(errors(map_of({{"routes", map_of({{"a.b", scalar("true")}})}})) == 1);
  CHECK(errors(map_of({{"routes", map_of({{"late", scalar("true")}})}})) == 1);
  CHECK(errors(map_of({{"routes", map_of({{"a", scalar("n +")}})}})) == 1);
  CHECK(errors(map_of({{"routes", map_of({{"a", scalar("1 + 1")}})}})) == 1);
  CHECK(errors(routes({{"otherwise", scalar("big")}})) == 1);
}
