// SPDX-License-Identifier: Apache-2.0
// What the reference says of functions is so.
#include "engine/expr/functions.h"
#include "tests/engine/expr/expr_support.h"
#include "tests/support/catch.h"

#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

using namespace streamd;
using namespace streamd::expr_test;

TEST_CASE("each function has a line of help and an example of itself that is true") {
  std::set<std::string> signatures;
  for (const auto& group : expr::function_groups())
    for (const expr::Function& function : group.functions) {
      INFO(signature(function));
      CHECK(function.help.ends_with('.'));
      CHECK(function.example.find(std::string(function.name) + "(") != std::string::npos);
      CHECK(evaluated(std::string(function.example)) == "bool true");
      CHECK(signatures.insert(signature(function)).second);
    }
  CHECK(signatures.size() > 60);
}

TEST_CASE("the help of bool() names what it takes, and it takes nothing else") {
  const std::string_view help = expr::find_function("bool", expr::CallStyle::global)->help;
  for (const auto& [texts, given] : {std::pair("1 t true TRUE True", "bool true"),
                                     std::pair("0 f false FALSE False", "bool false")}) {
    CHECK(help.find("`" + std::string(texts) + "`") != std::string_view::npos);
    std::istringstream each(texts);
    for (std::string text; each >> text;) CHECK(evaluated("bool('" + text + "')") == given);
  }
  for (const char* other : {"T", "F", "yes", "tRUE", " true", ""})
    CHECK(evaluated("bool(dyn('" + std::string(other) + "'))") ==
          "refused: \"" + std::string(other) + "\" is no bool");
}

TEST_CASE("a signature says what is taken, what may be left out and what comes out") {
  const auto of = [](std::string_view name, expr::CallStyle style) {
    return signature(*expr::find_function(name, style));
  };
  CHECK(of("indexOf", expr::CallStyle::member) == "string.indexOf(string[, int]) -> int");
  CHECK(of("size", expr::CallStyle::member) == "(string|bytes|list|map|json).size() -> int");
  CHECK(of("replace", expr::CallStyle::member) ==
        "string.replace(string, string[, int]) -> string");
  CHECK(of("isIP", expr::CallStyle::global) == "isIP(string) -> bool");
  CHECK(of("join", expr::CallStyle::member) == "(list|json).join([string]) -> string");
  CHECK(of("math.least", expr::CallStyle::global) ==
        "math.least(int|uint|double|list|json[, int|uint|double, ...]) -> any");
}
