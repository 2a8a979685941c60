// SPDX-License-Identifier: Apache-2.0
#include "tests/operators/operator_fixture.h"

using namespace streamd;
using namespace streamd::test;

namespace {

Column numbers(int count) {
  Column column;
  for (int i = 0; i < count; ++i) column.push_back(Value::int64(i));
  return column;
}
std::vector<std::int64_t> sampled(const ConfigNode& fields, const Batch& in) {
  OperatorFixture f("sample", fields, open_schema({"n"}));
  f.run(in);
  std::vector<std::int64_t> kept;
  for (const Batch& batch : f.out.batches)
    for (std::size_t i = 0; i < batch.size(); ++i) kept.push_back(batch.at(0, i).as_int());
  CHECK(kept.size() + f.out.dropped[DropReason::filtered] == in.size());
  return kept;
}

}  // namespace

TEST_CASE("A sample has about its share and is the same at every run") {
  const Batch in = batch_of({numbers(20'000)});
  const auto tenth = sampled(map_of({{"share", scalar("0.1")}}), in);
  CHECK(tenth.size() > 1800);
  CHECK(tenth.size() < 2200);
  CHECK(tenth == sampled(map_of({{"one_in", scalar("10")}}), in));
  CHECK(tenth != sampled(map_of({{"share", scalar("0.1")}, {"seed", scalar("1")}}), in));
  CHECK(sampled(map_of({{"share", scalar("1")}}), in).size() == 20'000);
  CHECK(sampled(map_of({{"share", scalar("0")}}), in).empty());
}

TEST_CASE("Records of another partition are chosen on their own") {
  const Batch in = batch_of({numbers(1000)});
  const ConfigNode half = map_of({{"share", scalar("0.5")}});
  CHECK(sampled(half, in) !=
        sampled(half, in.with_origin(std::make_shared<const Origin>(Origin{"test", "1"}))));
}

TEST_CASE("All records of a key pass, or none") {
  Column keys;
  for (int i = 0; i < 3000; ++i) keys.push_back(Value::int64(i % 100));
  const ConfigNode by = map_of({{"share", scalar("0.3")}, {"by", list_of({"n"})}});
  std::map<std::int64_t, int> count;
  for (const std::int64_t key : sampled(by, batch_of({keys}))) ++count[key];
  CHECK(count.size() > 10);
  CHECK(count.size() < 60);
  for (const auto& [key, records] : count) CHECK(records == 30);
}

TEST_CASE("A record without its key is a dead letter") {
  OperatorFixture f("sample", map_of({{"share", scalar("1")}, {"by", list_of({"n"})}}),
                    open_schema({"n"}));
  f.run(batch_of({{Value::missing(), Value::null()}}));
  CHECK(f.out.rejected.size() == 1);
  CHECK(f.out.batches[0].size() == 1);
  CHECK(f.out.dropped.empty());
}

TEST_CASE("Wrong settings of sample are reported") {
  const auto errors = [](std::vector<std::pair<std::string, ConfigNode>> fields) {
    return OperatorFixture("sample", map_of(std::move(fields)), open_schema({})).problems.errors();
  };
  CHECK(errors({}) == 1);
  CHECK(errors({{"share", scalar("0.1")}, {"one_in", scalar("3")}}) == 1);
  CHECK(errors({{"share", scalar("1.5")}}) == 1);
  CHECK(errors({{"one_in", scalar("0")}}) == 1);
}
