// SPDX-License-Identifier: Apache-2.0
#include "engine/config/render.h"

#include "tests/support/catch.h"

using namespace streamd;

TEST_CASE("a problem is shown with its line, a caret and the fix") {
  Diagnostics problems;
  problems.error("unknown-key", {0, 2, 3, 7}, "operator \"dedupe\": unknown key \"withing\"",
                 "did you mean \"within\"?");
  CHECK(render(problems, {{"pipelines/a.yaml", "dedupe:\n  withing: 30s\n"}}) ==
        "pipelines/a.yaml:2:3: error: operator \"dedupe\": unknown key \"withing\" [unknown-key]\n"
        "    2 |   withing: 30s\n"
        "      |   ^~~~~~~\n"
        "      = help: did you mean \"within\"?\n"
        "\n"
        "1 error\n");
}

TEST_CASE("problems are sorted by place and shown once") {
  Diagnostics problems;
  problems.error("b", {0, 2, 1, 1}, "second");
  problems.warning("w", {0, 3, 1, 1}, "third");
  problems.error("a", {0, 1, 1, 1}, "first");
  problems.error("b", {0, 2, 1, 1}, "second");
  const auto tidied = tidy(problems);
  REQUIRE(tidied.size() == 3);
  CHECK(tidied[0].message == "first");
  CHECK(tidied[2].message == "third");
  const std::string text = render(problems, {{"a.yaml", "x\ny\nz\n"}});
  CHECK(text.find("2 errors, 1 warning\n") != std::string::npos);
  CHECK(text.find("a.yaml:3:1: warning: third [w]") != std::string::npos);
}

TEST_CASE("what follows from a missing variable is left out") {
  Diagnostics problems;
  problems.error("variable", {0, 1, 4, 7}, "variable \"X\" is not set");
  problems.error("type-mismatch", {0, 1, 4, 7}, "expected a duration");
  CHECK(tidy(problems).size() == 1);
}

TEST_CASE("the caret stands right behind tabs and letters of several bytes") {
  Diagnostics problems;
  problems.error("x", {0, 1, 8, 3}, "here");
  const std::string text = render(problems, {{"a.yaml", "\tgr\xC3\xBCn: abc\n"}});
  CHECK(text.find("a.yaml:1:7: error") == 0);
  CHECK(text.find("    1 |  gr\xC3\xBCn: abc\n      |       ^~~\n") != std::string::npos);
}

TEST_CASE("a long line is cut around the place and control characters cannot act") {
  Diagnostics problems;
  problems.error("x", {0, 1, 501, 3}, "here");
  std::string line(1000, 'a');
  line[499] = '\033';
  const std::string text = render(problems, {{"a.yaml", line}});
  CHECK(text.find('\033') == std::string::npos);
  CHECK(text.size() < 600);
  CHECK(text.find("?aaa") != std::string::npos);
}

TEST_CASE("places outside of the file do not matter") {
  Diagnostics problems;
  problems.error("x", {0, 0, 0, 1}, "no line");
  problems.error("x", {0, 99, 99, 99}, "no such line");
  problems.error("x", {5, 1, 1, 1}, "no such file");
  const std::string text = render(problems, {{"a.yaml", "x"}});
  CHECK(text.find("a.yaml: error: no line [x]") == 0);
  CHECK(text.find("streamd: error: no such file [x]") != std::string::npos);
  CHECK(render(Diagnostics{}, {}).empty());
}

TEST_CASE("colours are there only when asked for") {
  Diagnostics problems;
  problems.error("x", {0, 1, 1, 1}, "here");
  CHECK(render(problems, {{"a.yaml", "x"}}).find('\033') == std::string::npos);
  CHECK(render(problems, {{"a.yaml", "x"}}, true).find("\033[1;31merror:\033[0m") !=
        std::string::npos);
}

TEST_CASE("what is hidden is stars in the line, and the caret stands where it belongs") {
  Diagnostics problems;
  problems.error("x", {0, 1, 18, 3}, "behind it");
  problems.error("y", {0, 1, 9, 7}, "in it");
  const std::string text =
      render(problems, {{"a.yaml", "{token: hunter2, abc: 1}"}}, false, {{{0, 1, 9, 7}}, {}});
  CHECK(text.find("    1 | {token: ***, abc: 1}\n      |              ^~~\n") != std::string::npos);
  CHECK(text.find("    1 | {token: ***, abc: 1}\n      |         ^~~\n") != std::string::npos);
  CHECK(text.find("a.yaml:1:18: error: behind it") != std::string::npos);
}

TEST_CASE("in a line without a tree the names of secrets tell what to hide") {
  Diagnostics problems;
  problems.error("yaml-syntax", {0, 1, 1, 1}, "here");
  const std::vector<SourceText> files = {{"a.yaml", "{token: hunter2, abc: 1"}};
  CHECK(render(problems, files, false, {{}, {"token"}}).find("| {token: ***, abc: 1\n") !=
        std::string::npos);
  Diagnostics others;
  others.error("unknown-key", {0, 1, 1, 1}, "here");
  CHECK(render(others, files, false, {{}, {"token"}}).find("hunter2") != std::string::npos);
}
