// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/time_format.h"

#include "tests/support/catch.h"

using namespace streamd;

namespace {

std::optional<std::int64_t> micros(std::string_view spec, const Value& value) {
  const auto format = TimeFormat::parse(spec);
  REQUIRE(format);
  const auto time = format->read(value);
  if (!time) return std::nullopt;
  return time->micros;
}
std::optional<std::int64_t> micros(std::string_view spec, std::string_view text) {
  return micros(spec, Value::string(text));
}
std::string rfc3339(std::int64_t us, std::uint32_t nanos = 0) {
  std::string out;
  format_rfc3339({us}, nanos, out);
  return out;
}
std::string unix_text(std::int64_t us, std::uint32_t nanos = 0) {
  std::string out;
  format_unix({us}, nanos, out);
  return out;
}

constexpr std::int64_t kSecond = 1'000'000;

}  // namespace

TEST_CASE("Unix times are read exactly from texts and numbers") {
  CHECK(micros("unix", "1659509511.865323") == 1659509511865323);
  CHECK(micros("unix", "1659509511") == 1659509511 * kSecond);
  CHECK(micros("unix", "0") == 0);
  CHECK(micros("unix", "1.5") == 1500000);
  CHECK(micros("unix", "1.0000019") == 1000001);
  CHECK(micros("unix", "-1.5") == -1500000);
  CHECK(micros("unix", "-0.0000001") == -1);
  CHECK(micros("unix", "99999999999.999999") == 99999999999999999);
  CHECK(micros("unix", Value::int64(1659509511)) == 1659509511 * kSecond);
  CHECK(micros("unix", Value::float64(1659509511.865323)) == 1659509511865323);
  CHECK(micros("unix", Value::float64(-0.5)) == -500000);
  CHECK(micros("unix_ms", "1659509511865") == 1659509511865000);
  CHECK(micros("unix_ms", "1659509511865.25") == 1659509511865250);
  CHECK(micros("unix_us", Value::int64(1659509511865323)) == 1659509511865323);
  CHECK(micros("unix_ns", "1659509511865323999") == 1659509511865323);
  CHECK(micros("unix_ns", "-1") == -1);
  CHECK(micros("unix_ns", Value::int64(-1)) == -1);
  CHECK(micros("unix_ns", Value::uint64(9'999'999'999'999'999'999u)) == 9'999'999'999'999'999);
}

TEST_CASE("What is no unix time is refused") {
  for (const char* text : {"", "-", ".", "1.", ".5", "1,5", " 1", "1 ", "+1", "0x1", "1e9", "1.5.2",
                           "abc", "12345678x", "123456789012345678901234567890", "253402300800",
                           "-62135596801", "999999999999999999"}) {
    INFO(text);
    CHECK_FALSE(micros("unix", text));
  }
  CHECK_FALSE(micros("unix", Value::float64(1e300)));
  CHECK_FALSE(micros("unix", Value::float64(std::numeric_limits<double>::quiet_NaN())));
  CHECK_FALSE(micros("unix", Value::int64(std::numeric_limits<std::int64_t>::max())));
  CHECK_FALSE(micros("unix", Value::boolean(true)));
  CHECK_FALSE(micros("unix", Value::missing()));
  CHECK_FALSE(micros("unix_ns", "99999999999999999999"));
}

TEST_CASE("RFC 3339 is read with offsets, fractions and lower case") {
  CHECK(micros("rfc3339", "1970-01-01T00:00:00Z") == 0);
  CHECK(micros("rfc3339", "2024-01-02T03:04:05+01:00") == 1704161045 * kSecond);
  CHECK(micros("rfc3339", "2024-01-02t02:04:05.25z") == 1704161045250000);
  CHECK(micros("rfc3339", "2024-01-02 02:04:05.123456789-00:00") == 1704161045123456);
  CHECK(micros("rfc3339", "2024-02-29T23:59:60Z") == 1709251200 * kSecond);
  CHECK(micros("rfc3339", "1969-12-31T23:59:59.5Z") == -500000);
  CHECK(micros("rfc3339", "0001-01-01T00:00:00Z") == -62135596800 * kSecond);
  CHECK(micros("rfc3339", "9999-12-31T23:59:59.999999Z") == 253402300799999999);
  CHECK(parse_rfc3339("2024-01-02T02:04:05.123456789Z")->nanos == 789);
  for (const char* text :
       {"", "2024", "2024-01-02", "2024-01-02T03:04:05", "2024-13-01T00:00:00Z",
        "2023-02-29T00:00:00Z", "2024-01-00T00:00:00Z", "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z", "2024-01-01T00:00:61Z", "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00Zx", "24-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "2024-01-01X00:00:00Z"}) {
    INFO(text);
    CHECK_FALSE(micros("rfc3339", text));
  }
  CHECK_FALSE(micros("rfc3339", Value::int64(5)));
}

TEST_CASE("CLF times are read with one-digit fields") {
  CHECK(micros("clf", "02/Jan/2024:03:04:05 +0100") == 1704161045 * kSecond);
  CHECK(micros("clf", "2/jan/2024:3:4:5 +0100") == 1704161045 * kSecond);
  CHECK(micros("clf", "02/Jan/2024:02:04:05") == 1704161045 * kSecond);
  for (const char* text : {"", "02/Foo/2024:03:04:05 +0100", "30/Feb/2024:03:04:05 +0100",
                           "02/Jan/2024:25:04:05 +0100", "02/Jan/2024:03:04:05 +01",
                           "02/Jan/2024:03:04:05 Q", "02/Ja", "02/Jan/24:03:04:05 +0100"}) {
    INFO(text);
    const bool short_zone = std::string_view(text).ends_with("+01");
    CHECK(micros("clf", text).has_value() == short_zone);
  }
}

TEST_CASE("Patterns read what they say") {
  CHECK(micros("%Y-%m-%d %H:%M:%S", "2024-01-02 02:04:05") == 1704161045 * kSecond);
  CHECK(micros("%Y-%m-%d %H:%M:%S.%f%z", "2024-01-02 03:04:05.5+0100") == 1704161045500000);
  CHECK(micros("%Y-%m-%d %H:%M:%S.%f%z", "2024-01-02 03:04:05+0100") == 1704161045000000);
  CHECK(micros("%a, %d %b %Y %T %Z", "Tue, 02 Jan 2024 02:04:05 GMT") == 1704161045 * kSecond);
  CHECK(micros("%A %e %B %y", "tuesday  2 january 24") == 1704153600 * kSecond);
  CHECK(micros("%b %e %T %Y", "Jan  2 02:04:05 2024") == 1704161045 * kSecond);
  CHECK(micros("%b %e %Y", "May 12 2024") == 1715472000 * kSecond);
  CHECK(micros("%Y.%j", "2024.366") == 1735603200 * kSecond);
  CHECK(micros("%F", "2024-01-02") == 1704153600 * kSecond);
  CHECK(micros("@%s", "@-5") == -5 * kSecond);
  CHECK(micros("%s.%f", "1.5") == kSecond * 3 / 2);
  CHECK(micros("%s.%f", "-1.5") == -kSecond * 3 / 2);
  CHECK(micros("%s.%f", "-0.25") == -kSecond / 4);
  CHECK(micros("%F 100%%", "2024-01-02 100%") == 1704153600 * kSecond);
  CHECK_FALSE(micros("%Y.%j", "2023.366"));
  CHECK_FALSE(micros("%F", "2024-01-02x"));
  CHECK_FALSE(micros("%F %Z", "2024-01-02 CET"));
  CHECK_FALSE(micros("%F %T", "2024-01-02 "));
  CHECK_FALSE(micros("%s", ""));
}

TEST_CASE("Bad specs are refused with a reason") {
  for (const char* spec : {"", "iso", "UNIX", "%Q", "%Y-%m-%d %", "%H:%M", "%b %d %T", "%Y"}) {
    INFO(spec);
    const auto format = TimeFormat::parse(spec);
    REQUIRE_FALSE(format);
    CHECK(format.error().kind == ErrorKind::config);
    CHECK_FALSE(format.error().hint.empty());
  }
}

TEST_CASE("Timestamps pass whatever the spec") {
  for (const char* spec : {"unix", "clf", "rfc3339", "%F"}) {
    CHECK(micros(spec, Value::timestamp({42})) == 42);
  }
}

TEST_CASE("Times are written with as few digits as possible") {
  CHECK(rfc3339(0) == "1970-01-01T00:00:00Z");
  CHECK(rfc3339(1704161045 * kSecond) == "2024-01-02T02:04:05Z");
  CHECK(rfc3339(1704161045250000) == "2024-01-02T02:04:05.25Z");
  CHECK(rfc3339(1704161045000001, 20) == "2024-01-02T02:04:05.00000102Z");
  CHECK(rfc3339(-1) == "1969-12-31T23:59:59.999999Z");
  CHECK(rfc3339(253402300800 * kSecond) == "+10000-01-01T00:00:00Z");
  CHECK(rfc3339(-62167219200 * kSecond - 1) == "-0001-12-31T23:59:59.999999Z");
  CHECK(rfc3339(EventTime::max().micros).substr(0, 7) == "+294247");
  CHECK(rfc3339(EventTime::min().micros).substr(0, 7) == "-290308");
  CHECK(unix_text(1659509511865323) == "1659509511.865323");
  CHECK(unix_text(5 * kSecond) == "5");
  CHECK(unix_text(1, 1) == "0.000001001");
  CHECK(unix_text(-500000) == "-0.5");
  CHECK(unix_text(-1500000) == "-1.5");
  CHECK(unix_text(-2 * kSecond) == "-2");
}

TEST_CASE("Every day of four centuries survives being written and read") {
  for (std::int64_t day = -80'000; day < 80'000; ++day) {
    const std::int64_t us = day * 86400 * kSecond + 1;
    const auto parsed = parse_rfc3339(rfc3339(us));
    REQUIRE(parsed);
    REQUIRE(parsed->time.micros == us);
  }
}
