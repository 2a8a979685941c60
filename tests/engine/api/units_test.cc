// SPDX-License-Identifier: Apache-2.0
#include "engine/api/field_type.h"
#include "tests/support/catch.h"

#include <random>

using namespace streamd;

TEST_CASE("durations are read with their units") {
  const auto micros = [](std::string_view text) { return parse_duration(text)->micros; };
  CHECK(micros("500ms") == 500'000);
  CHECK(micros("30s") == 30'000'000);
  CHECK(micros("1m") == 60'000'000);
  CHECK(micros("1h30m") == 5'400'000'000);
  CHECK(micros("2d") == 172'800'000'000);
  CHECK(micros("250us") == 250);
  CHECK(micros("0s") == 0);
}

TEST_CASE("what is no duration is refused") {
  for (const char* text : {"", "30", "s", "1x", "-1s", "1.5s", "30m1h", "1s1s", " 1s", "1s ", "1S",
                           "99999999999999999999s", "106751992d"})
    CHECK_FALSE(parse_duration(text));
}

TEST_CASE("a duration is printed so that it reads back") {
  CHECK(format_duration({0}) == "0s");
  CHECK(format_duration(Duration::from_seconds(90)) == "90s");
  CHECK(format_duration(Duration::from_seconds(3600)) == "1h");
  CHECK(format_duration(Duration::from_millis(500)) == "500ms");
  CHECK(format_duration({-1'000'000}) == "-1s");
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    const Duration d{static_cast<std::int64_t>(random() >> (1 + random() % 60))};
    CHECK(parse_duration(format_duration(d)) == d);
  }
}

TEST_CASE("sizes are read with and without units") {
  const auto bytes = [](std::string_view text) { return parse_size(text)->bytes; };
  CHECK(bytes("512") == 512);
  CHECK(bytes("512B") == 512);
  CHECK(bytes("64KiB") == 65536);
  CHECK(bytes("16MiB") == 16u << 20);
  CHECK(bytes("1GB") == 1'000'000'000);
  for (const char* text : {"", "MiB", "1 MiB", "-1", "1kib", "1.5MiB", "1MiB1", "99999999TiB"})
    CHECK_FALSE(parse_size(text));
}

TEST_CASE("a size is printed so that it reads back") {
  CHECK(format_size({1 << 20}) == "1MiB");
  CHECK(format_size({1000}) == "1KB");
  CHECK(format_size({1023}) == "1023");
  CHECK(format_size({0}) == "0");
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    const ByteSize s{random() >> (random() % 64)};
    CHECK(parse_size(format_size(s)) == s);
  }
}

TEST_CASE("a size that was measured is printed for people") {
  CHECK(readable_size(0) == "0 bytes");
  CHECK(readable_size(1023) == "1023 bytes");
  CHECK(readable_size(1024) == "1 KiB");
  CHECK(readable_size(1536) == "1.5 KiB");
  CHECK(readable_size(130'300) == "127 KiB");
  CHECK(readable_size(std::uint64_t{3} << 30) == "3 GiB");
  CHECK(readable_size((std::uint64_t{3} << 30) + (300 << 20)) == "3.3 GiB");
  CHECK(readable_size(~std::uint64_t{0}) == "16777216 TiB");
}
