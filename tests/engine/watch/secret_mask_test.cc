// SPDX-License-Identifier: Apache-2.0
#include "engine/watch/secret_mask.h"

#include "tests/support/catch.h"

using namespace streamd;

namespace {

std::string hidden(const std::vector<std::string>& secrets, std::string text) {
  SecretMask(secrets).hide(text);
  return text;
}

}  // namespace

TEST_CASE("secrets are *** wherever they stand, the longest first", "[watch]") {
  CHECK(hidden({"hunter2", "hunter2-and-more"}, R"({"a":"hunter2","b":"xhunter2-and-morey"})") ==
        R"({"a":"***","b":"x***y"})");
  CHECK(hidden({"aaaa"}, "aaaaaaaa a") == "****** a");
}

TEST_CASE("a secret is found where it is written as JSON", "[watch]") {
  CHECK(hidden({"pass\"word\\1"}, R"({"p":"pass\"word\\1"})") == R"({"p":"***"})");
}

TEST_CASE("short values are words, and no secrets change nothing", "[watch]") {
  CHECK(hidden({"abc", ""}, "abc") == "abc");
  CHECK(hidden({}, "hunter2") == "hunter2");
}
