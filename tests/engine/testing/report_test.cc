// SPDX-License-Identifier: Apache-2.0
// JUnit's XML.
#include "engine/testing/report.h"

#include "tests/support/catch.h"

using namespace streamd::testing;

TEST_CASE("results are written as JUnit's readers want them", "[testing]") {
  const JunitSuite suite{"a.test.yaml",
                         {{"passes", "", "", 0.25}, {"fails", "1 row", "line\n", 0.5}}};
  CHECK(
      junit_xml({suite}) ==
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites tests=\"2\" failures=\"1\">\n"
      "  <testsuite name=\"a.test.yaml\" tests=\"2\" failures=\"1\" errors=\"0\" time=\"0.750\">\n"
      "    <testcase classname=\"a.test.yaml\" name=\"passes\" time=\"0.250\"/>\n"
      "    <testcase classname=\"a.test.yaml\" name=\"fails\" time=\"0.500\">\n"
      "      <failure message=\"1 row\">line&#10;</failure>\n"
      "    </testcase>\n"
      "  </testsuite>\n"
      "</testsuites>\n");
}

TEST_CASE("nothing that a record holds can break the XML", "[testing]") {
  const JunitSuite suite{"<&\">", {{"]]>\x01\x1b[31m", "\xff\xfe", "\x7f\tü", 0}}};
  const std::string xml = junit_xml({suite});
  CHECK(xml.find("name=\"&lt;&amp;&quot;&gt;\"") != std::string::npos);
  CHECK(xml.find("]]&gt;??[31m") != std::string::npos);
  CHECK(xml.find("message=\"??\"") != std::string::npos);
  CHECK(xml.find("&#9;ü") != std::string::npos);
  CHECK(junit_xml({}) ==
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites tests=\"0\" failures=\"0\">\n</testsuites>\n");
}
