// SPDX-License-Identifier: Apache-2.0
#include "engine/config/reports.h"

#include "tests/support/catch.h"

using namespace streamd;

TEST_CASE("no problems are an empty array and no command") {
  CHECK(report_json({}, {}) == "[]\n");
  CHECK(report_github({}, {}).empty());
}

TEST_CASE("a problem has its place, its code and its remedy") {
  Diagnostics problems;
  problems.error("unknown-key", {0, 2, 3, 5}, "unknown key \"cuont\"", "did you mean \"count\"?");
  problems.warning("late-unread", {0, 1, 1, 1}, "nobody reads them");
  const std::vector<SourceText> files = {{"a.yaml", "first\n  cuont: 1\n"}};
  CHECK(report_json(problems, files) ==
        "[\n"
        R"({"file":"a.yaml","line":1,"column":1,"end_line":1,"end_column":2,)"
        R"("severity":"warning","code":"late-unread","message":"nobody reads them","remedy":""},)"
        "\n"
        R"({"file":"a.yaml","line":2,"column":3,"end_line":2,"end_column":8,)"
        R"("severity":"error","code":"unknown-key","message":"unknown key \"cuont\"",)"
        R"("remedy":"did you mean \"count\"?"})"
        "\n]\n");
  CHECK(report_github(problems, files) ==
        "::warning file=a.yaml,line=1,endLine=1,col=1,endColumn=2,title=streamd%3A late-unread::"
        "nobody reads them\n"
        "::error file=a.yaml,line=2,endLine=2,col=3,endColumn=8,title=streamd%3A unknown-key::"
        "unknown key \"cuont\"%0Ahelp: did you mean \"count\"?\n");
}

TEST_CASE("columns count characters and end within the line") {
  Diagnostics problems;
  problems.error("x", {0, 1, 5, 100}, "m", "h");  // behind two letters of two bytes each
  const std::string told = report_json(problems, {{"a.yaml", "\xC3\xBC\xC3\xA4z\n"}});
  CHECK(told.find(R"("column":3,"end_line":1,"end_column":4)") != std::string::npos);
}

TEST_CASE("a problem without a place in a file has line 0, one without a file has none") {
  Diagnostics problems;
  problems.error("no-file", {0, 0, 0, 1}, "cannot read it", "look");
  problems.error("odd", {7, 3, 3, 1}, "elsewhere", "look");
  const std::vector<SourceText> files = {{"a.yaml", ""}};
  const std::string json = report_json(problems, files);
  CHECK(json.find(R"({"file":"a.yaml","line":0,"column":0,"end_line":0,"end_column":0,)") !=
        std::string::npos);
  CHECK(json.find(R"({"file":"","line":0,)") != std::string::npos);
  CHECK(report_github(problems, files) ==
        "::error file=a.yaml,title=streamd%3A no-file::cannot read it%0Ahelp: look\n"
        "::error title=streamd%3A odd::elsewhere%0Ahelp: look\n");
}

TEST_CASE("signs of workflow commands are escaped") {
  Diagnostics problems;
  problems.error("x", {0, 1, 1, 1}, "100%\r\n::error::mine", "h");
  const std::string told = report_github(problems, {{"a:b,c%.yaml", "text"}});
  CHECK(told.find("file=a%3Ab%2Cc%25.yaml,") != std::string::npos);
  CHECK(told.find("::100%25%0D%0A::error::mine%0Ahelp: h\n") != std::string::npos);
}
