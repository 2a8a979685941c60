// SPDX-License-Identifier: Apache-2.0
#include "engine/config/masked_line.h"

#include "tests/support/catch.h"

using namespace streamd;

namespace {

// The line after the value behind the first "key: " was hidden.
std::string without_key(std::string_view line) {
  MaskedLine masked(line);
  masked.hide_value(line.find("key: ") + 5);
  return masked.text();
}

std::string by_name(std::string_view line) {
  MaskedLine masked(line);
  masked.hide_values_of({"key", "webhook"});
  return masked.text();
}

}  // namespace

TEST_CASE("a value is hidden from its first to its last byte, and no more") {
  CHECK(without_key("  key: abc") == "  key: ***");
  CHECK(without_key("  key: abc def # why") == "  key: *** # why");
  CHECK(without_key("  key: a#b") == "  key: ***");
  CHECK(without_key(R"(  key: "a \" b" # why)") == "  key: *** # why");
  CHECK(without_key("  key: 'it''s' # why") == "  key: *** # why");
  CHECK(without_key("{a: b, key: abc, color: red}") == "{a: b, key: ***, color: red}");
  CHECK(without_key("{a: b, key: abc}") == "{a: b, key: ***}");
  CHECK(without_key("  key: abc, color: red}") == "  key: ***, color: red}");
  CHECK(without_key("  key: {x: \"}\", y: [1, 2]}, b: c") == "  key: ***, b: c");
  CHECK(without_key("key: 'never closed, color: red") == "key: ***");
  CHECK(without_key("key: {never: closed") == "key: ***");
}

TEST_CASE("what variables alone make up is shown, and their defaults are not") {
  CHECK(without_key("key: ${KEY}") == "key: ${KEY}");
  CHECK(without_key("key: \"${file:/run/key}\"") == "key: \"${file:/run/key}\"");
  CHECK(without_key("{key: ${USER}:${PASSWORD}, b: c}") == "{key: ${USER}:${PASSWORD}, b: c}");
  CHECK(without_key("key: ${KEY:-hunter2}") == "key: ***");
  CHECK(without_key("key: ${KEY}x") == "key: ***");
  CHECK(without_key("key: ${never closed") == "key: ${never closed");
}

TEST_CASE("passwords in URLs are hidden without being asked for") {
  CHECK(MaskedLine("a: mongodb://u:pw@h/, b: https://x:y@z").text() ==
        "a: mongodb://***@h/, b: https://***@z");
  CHECK(MaskedLine("uri: mongodb://u:hun/ter2@h/").text() == "uri: mongodb://***@h/");
  CHECK(MaskedLine("uri: \"mongodb://${U}:${P}@h/\"").text() == "uri: \"mongodb://${U}:${P}@h/\"");
  CHECK(MaskedLine("url: https://h/ # mail to a@b").text() == "url: https://h/ # mail to a@b");
}

TEST_CASE("keys are found by their names in lines that are no YAML") {
  CHECK(by_name("x: {webhook: abc, key : 'd', keys: e") == "x: {webhook: ***, key : ***, keys: e");
  CHECK(by_name("- \"key\": abc") == "- \"key\": ***");
  CHECK(by_name("{\"key\":\"abc\"}") == "{\"key\":***}");
  CHECK(by_name("key:") == "key:");
  CHECK(by_name("monkey: abc") == "monkey: abc");
  CHECK(by_name("at: 12:30, key:30") == "at: 12:30, key:30");
}

TEST_CASE("places move with what is hidden before them") {
  MaskedLine masked("key: abcdefgh, b: c");
  masked.hide_value(5);
  REQUIRE(masked.text() == "key: ***, b: c");
  CHECK(masked.moved(0) == 0);
  CHECK(masked.moved(5) == 5);
  CHECK(masked.moved(9) == 5);
  CHECK(masked.moved(13) == 8);
  CHECK(masked.moved(15) == 10);
  CHECK(masked.moved(100) == 95);
}

TEST_CASE("what is hidden twice or in parts is one") {
  MaskedLine masked("uri: mongodb://u:pw@h/db, b: c");
  masked.hide_value(5);
  masked.hide_value(5);
  CHECK(masked.text() == "uri: ***, b: c");
  masked.hide_value(1000);
  CHECK(masked.text() == "uri: ***, b: c");
}
