// SPDX-License-Identifier: Apache-2.0
#include "engine/config/substitute.h"

#include "tests/support/catch.h"

#include <cstdlib>

using namespace streamd;

namespace {

Surroundings fixed() {
  return {[](const std::string& name) -> std::optional<std::string> {
            if (name == "HOST") return "db.example.com";
            if (name == "EMPTY") return "";
            if (name == "TRICKY") return "${HOST} : # \"x\"";
            return std::nullopt;
          },
          [](const std::string& path) -> Result<std::string> {
            if (path == "/run/secret") return std::string("s3cret\n");
            return fail(ErrorKind::config, "cannot read file \"" + path + "\"");
          }};
}

std::string text_of(std::string_view text) {
  const auto result = substitute(text, fixed());
  return result ? result->text : "error: " + result.error().message;
}

}  // namespace

TEST_CASE("variables, defaults and files are put in") {
  CHECK(text_of("http://${HOST}:9200") == "http://db.example.com:9200");
  CHECK(text_of("${NONE:-localhost:9092}") == "localhost:9092");
  CHECK(text_of("${EMPTY:-fallback}") == "fallback");
  CHECK(text_of("[${EMPTY}]") == "[]");
  CHECK(text_of("${NONE:-}") == "");
  CHECK(text_of("${file:/run/secret}") == "s3cret");
}

TEST_CASE("a default may be made of variables itself") {
  CHECK(text_of("${NONE:-${HOST}}") == "db.example.com");
  CHECK(text_of("${HOST:-${NONE}}:9200") == "db.example.com:9200");
  CHECK(text_of("${NONE:-http://${EMPTY:-${NONE:-localhost}}:80}/x") == "http://localhost:80/x");
  CHECK(text_of("${NONE:-${file:/run/secret}} }") == "s3cret }");
  CHECK(text_of("${NONE:-$${HOST}") == "${HOST");
  CHECK(text_of("${NONE:-${TRICKY}}") == "${HOST} : # \"x\"");
  CHECK(text_of("${NONE:-${NONE}}") == "error: variable \"NONE\" is not set");
  CHECK(text_of("${HOST:-${NONE}") == "error: \"${\" is never closed");
  CHECK(text_of("${${HOST}}") == "error: \"${${HOST}}\" is no variable");
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "${NONE:-";
  CHECK(text_of(deep) == "error: \"${\" stands in more than 15 others");
}

TEST_CASE("dollar signs that are no variable stay") {
  CHECK(text_of("$remote_addr - $status") == "$remote_addr - $status");
  CHECK(text_of("^a+$") == "^a+$");
  CHECK(text_of("$$5 and $${HOST}") == "$5 and ${HOST}");
}

TEST_CASE("what is put in is not looked at again") {
  CHECK(text_of("${TRICKY}") == "${HOST} : # \"x\"");
  CHECK(substitute("${TRICKY}", fixed())->changed);
  CHECK_FALSE(substitute("$$x", fixed())->changed);
}

TEST_CASE("variables without value and malformed ones are errors") {
  CHECK(text_of("${NONE}") == "error: variable \"NONE\" is not set");
  CHECK(text_of("a ${HOST") == "error: \"${\" is never closed");
  CHECK(text_of("${1X}") == "error: \"${1X}\" is no variable");
  CHECK(text_of("${}") == "error: \"${}\" is no variable");
  CHECK(text_of("${HOST:?no}") == "error: \"${HOST:?no}\" is no variable");
  CHECK(text_of("${file:}") == "error: ${file:} names no file");
  CHECK(text_of("${file:/nope}") == "error: cannot read file \"/nope\"");
}

TEST_CASE("the process's surroundings are its environment and files") {
  const Surroundings here = process_surroundings();
  ::setenv("STREAMD_TEST_VARIABLE", "x", 1);
  CHECK(here.variable("STREAMD_TEST_VARIABLE") == "x");
  ::unsetenv("STREAMD_TEST_VARIABLE");
  CHECK_FALSE(here.variable("STREAMD_TEST_VARIABLE"));
  CHECK_FALSE(here.file("/nonexistent/file"));
  CHECK_FALSE(here.file("/"));
  CHECK_FALSE(here.file("/dev/zero"));
}
