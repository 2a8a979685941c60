// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/fetch_protocol.h"

#include "tests/engine/io/kafka/made_batch.h"
#include "tests/support/catch.h"

#include <limits>

using namespace streamd;
using namespace streamd::kafka;
using namespace streamd::test;

namespace {

void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::int16_t>(text.size()));
  out += text;
}

struct Told {
  std::string topic;
  std::int32_t partition;
  std::int16_t error = 0;
  std::int64_t end = 0;
  std::vector<Aborted> aborted = {};
  std::string batches = {};
};

// An answer of several topics, each with its partitions.
std::string answer(const std::vector<std::vector<Told>>& topics) {
  std::string out;
  put(out, std::int32_t{77});
  put(out, std::int32_t{0});
  put(out, static_cast<std::int32_t>(topics.size()));
  for (const auto& topic : topics) {
    put_text(out, topic.empty() ? "none" : topic.front().topic);
    put(out, static_cast<std::int32_t>(topic.size()));
    for (const auto& p : topic) {
      put(out, p.partition);
      put(out, p.error);
      put(out, p.end + 5);
      put(out, p.end);
      put(out, static_cast<std::int32_t>(p.aborted.size()));
      for (const auto& a : p.aborted) {
        put(out, a.producer);
        put(out, a.first_offset);
      }
      put(out, static_cast<std::int32_t>(p.batches.size()));
      out += p.batches;
    }
  }
  return out;
}

}  // namespace

TEST_CASE("a fetch request is as Kafka's protocol guide has it", "[kafka]") {
  std::string out = "before";
  write_fetch_request(9, {.wait_ms = 250, .bytes = 4096},
                      {{"a", 3, 1000}, {"a", 4, 5}, {"bc", 0, 0}}, out);
  std::string body;
  put(body, std::int16_t{1});
  put(body, std::int16_t{4});
  put(body, std::int32_t{9});
  put_text(body, "streamd");
  put(body, std::int32_t{-1});
  put(body, std::int32_t{250});
  put(body, std::int32_t{1});
  put(body, std::int32_t{4096});
  put(body, std::int8_t{1});
  put(body, std::int32_t{2});
  put_text(body, "a");
  put(body, std::int32_t{2});
  for (const auto& [partition, offset] : {std::pair{3, 1000}, std::pair{4, 5}}) {
    put(body, std::int32_t{partition});
    put(body, std::int64_t{offset});
    put(body, std::int32_t{4096});
  }
  put_text(body, "bc");
  put(body, std::int32_t{1});
  put(body, std::int32_t{0});
  put(body, std::int64_t{0});
  put(body, std::int32_t{4096});
  std::string whole = "before";
  put(whole, static_cast<std::int32_t>(body.size()));
  CHECK(out == whole + body);
}

TEST_CASE("a broker's versions tell whether it takes our requests", "[kafka]") {
  std::string request;
  write_versions_request(5, request);
  CHECK(request == std::string("\0\0\0\x11\0\x12\0\0\0\0\0\5\0\7streamd", 21));
  const auto says = [](std::int16_t error, std::int16_t oldest, std::int16_t newest) {
    std::string out;
    put(out, std::int32_t{5});
    put(out, error);
    put(out, std::int32_t{2});
    for (const std::int16_t n : {std::int16_t{0}, std::int16_t{0}, std::int16_t{9}}) put(out, n);
    for (const std::int16_t n : {std::int16_t{1}, oldest, newest}) put(out, n);
    return out;
  };
  CHECK(takes_fetch(says(0, 0, 4), 5));
  CHECK(takes_fetch(says(0, 4, 17), 5));
  CHECK_FALSE(takes_fetch(says(0, 0, 3), 5));
  CHECK_FALSE(takes_fetch(says(0, 5, 17), 5));
  CHECK_FALSE(takes_fetch(says(35, 0, 4), 5));
  CHECK_FALSE(takes_fetch(says(0, 0, 4), 6));
  const std::string whole = says(0, 0, 4);
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK_FALSE(takes_fetch(whole.substr(0, size), 5));
}

TEST_CASE("an answer is read partition by partition", "[kafka]") {
  const std::string bytes =
      answer({{{"a", 3, 0, 50, {{8, 40}, {9, 41}}, "batches"}, {"a", 4, 6}}, {}, {{"b", 0, 0, 7}}});
  FetchAnswer in(bytes);
  CHECK(in.correlation() == 77);
  FetchedPartition p;
  REQUIRE(in.next(p));
  CHECK((p.topic == "a" && p.partition == 3 && p.error == 0 && p.end == 50));
  REQUIRE(p.aborted.size() == 2);
  CHECK((p.aborted[1].producer == 9 && p.aborted[1].first_offset == 41));
  CHECK(p.batches == "batches");
  REQUIRE(in.next(p));
  CHECK((p.topic == "a" && p.partition == 4 && p.error == 6 && p.aborted.empty()));
  REQUIRE(in.next(p));
  CHECK((p.topic == "b" && p.partition == 0 && p.end == 7 && p.batches.empty()));
  CHECK_FALSE(in.next(p));
  CHECK_FALSE(in.cut());
}

TEST_CASE("an answer that is cut short says so, wherever", "[kafka]") {
  const std::string bytes = answer({{{"a", 3, 0, 50, {{8, 40}}, "batches"}}, {{"b", 0}}});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    FetchAnswer in(std::string_view(bytes).substr(0, size));
    FetchedPartition p;
    while (in.next(p)) {
    }
    CHECK(in.cut());
  }
}

TEST_CASE("numbers come out as they went in", "[kafka]") {
  for (const std::int64_t n :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{63}, std::int64_t{64}, std::int64_t{-65},
        std::int64_t{1} << 40, std::numeric_limits<std::int64_t>::min(),
        std::numeric_limits<std::int64_t>::max()}) {
    std::string out;
    put_varint(out, n);
    WireReader in(out);
    CHECK(in.varint() == n);
    CHECK(in.rest().empty());
    CHECK_FALSE(in.cut());
  }
  WireReader endless(std::string_view("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12));
  CHECK(endless.varint() == 0);
  CHECK(endless.cut());
  WireReader negative(std::string_view("\xFF\xFFtext", 6));
  CHECK(negative.text().empty());
  CHECK(negative.cut());
}
