// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/fetched.h"

#include "tests/support/catch.h"

#include <string>

using namespace streamd;
using streamd::kafka::Fetched;

namespace {

RawRecord record(std::string_view data, std::uint64_t position) {
  RawRecord made;
  made.data = data;
  made.position = position;
  return made;
}

RawBatch next(Fetched& fetched, std::size_t limit = 4096) {
  RawBatch out;
  fetched.hand_out(limit, out);
  return out;
}

}  // namespace

TEST_CASE("fetched records are copied behind one another with line feeds between", "[kafka]") {
  Fetched fetched;
  {
    const std::string first = "one", second;
    fetched.add(7, record(first, 10));
    fetched.add(7, record(second, 12));
  }
  fetched.add(7, record("three", 13));
  CHECK(fetched.size() == 3);
  CHECK(fetched.next() == 7);
  const RawBatch batch = next(fetched);
  CHECK(batch.partition == 7);
  CHECK(batch.padding == kBlockPadding);
  REQUIRE(batch.records.size() == 3);
  CHECK(std::string_view(batch.records[0].data.data(), 11) == "one\n\nthree\n");
  CHECK(batch.records[1].data.empty());
  CHECK(batch.records[1].position == 12);
  CHECK(batch.records[2].data == "three");
  CHECK(fetched.empty());
  CHECK(fetched.size() == 0);
}

TEST_CASE("a batch holds records of one partition, in the order of the fetch", "[kafka]") {
  Fetched fetched;
  for (const std::uint32_t partition : {0u, 0u, 1u, 0u})
    fetched.add(partition, record("x", fetched.size()));
  CHECK(next(fetched).records.size() == 2);
  const RawBatch second = next(fetched);
  CHECK(second.partition == 1);
  REQUIRE(second.records.size() == 1);
  CHECK(second.records[0].position == 2);
  CHECK(next(fetched).records[0].position == 3);
  CHECK(fetched.empty());
}

TEST_CASE("a batch is no larger than its limit, and what is left comes next", "[kafka]") {
  Fetched fetched;
  for (std::uint64_t n = 0; n < 10; ++n) fetched.add(0, record(std::to_string(n), n));
  std::vector<std::string> seen;
  std::vector<std::size_t> sizes;
  while (!fetched.empty()) {
    const RawBatch batch = next(fetched, 4);
    sizes.push_back(batch.records.size());
    for (const auto& r : batch.records) seen.emplace_back(r.data);
    if (sizes.size() == 1) fetched.add(0, record("10", 10));
  }
  CHECK(sizes == std::vector<std::size_t>{4, 4, 3});
  CHECK(seen == std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"});
}

TEST_CASE("a batch keeps its bytes, whatever is fetched or forgotten afterwards", "[kafka]") {
  Fetched fetched;
  RawBatch early;
  fetched.add(0, record("early", 0));
  fetched.hand_out(1, early);
  const std::string block(kBlockBytes / 2, 'b');
  for (std::uint64_t n = 1; n < 9; ++n) fetched.add(0, record(block, n));
  CHECK(next(fetched).records.size() == 1);  // with "early" in one block
  CHECK(next(fetched).records.size() == 1);  // two and their line feeds are more than a block
  fetched.clear();
  CHECK(fetched.empty());
  fetched.add(0, record("late", 9));
  CHECK(next(fetched).records[0].data == "late");
  CHECK(early.records[0].data == "early");
}

TEST_CASE("a record larger than a block gets one of its own", "[kafka]") {
  Fetched fetched;
  const std::string large(3 * kBlockBytes, 'l');
  fetched.add(0, record("small", 0));
  CHECK_FALSE(fetched.block_is_full());
  fetched.add(0, record(large, 1));
  CHECK(fetched.block_is_full());
  fetched.add(0, record("small", 2));
  CHECK(next(fetched).records[0].data == "small");
  CHECK(next(fetched).records[0].data == large);
  CHECK(next(fetched).records[0].position == 2);
}

TEST_CASE("tombstones and faults stay what they are", "[kafka]") {
  Fetched fetched;
  RawRecord none;
  none.tombstone = true;
  fetched.add(0, none);
  RawRecord long_one = record("start", 1);
  long_one.fault = "too-long";
  long_one.arrival = {5};
  fetched.add(0, long_one);
  const RawBatch batch = next(fetched);
  CHECK(batch.records[0].tombstone);
  CHECK(batch.records[0].data.empty());
  CHECK(batch.records[1].fault == "too-long");
  CHECK(batch.records[1].arrival.micros == 5);
}
