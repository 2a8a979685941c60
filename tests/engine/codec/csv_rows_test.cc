// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/csv_rows.h"

#include "tests/support/catch.h"

using namespace streamd;

namespace {

using Row = std::vector<std::string>;

std::vector<Row> rows(std::string_view text, bool& torn, char separator = ',') {
  CsvRows reader(text, separator);
  std::vector<Row> all;
  Row row{"left", "over", "from", "before"};
  while (reader.next(row)) all.push_back(row);
  torn = reader.torn();
  return all;
}

}  // namespace

TEST_CASE("CSV rows are cut into fields, quoted or not") {
  bool torn = true;
  CHECK(rows("a,b\r\n1,\"x,\"\"y\"\"\nz\"\n\n\r\n,\n\"\",last", torn) ==
        std::vector<Row>{{"a", "b"}, {"1", "x,\"y\"\nz"}, {"", ""}, {"", "last"}});
  CHECK(!torn);
  CHECK(rows("a;b,c\n", torn, ';') == std::vector<Row>{{"a", "b,c"}});
  CHECK(rows("\"a\"b,c\"d\n", torn) == std::vector<Row>{{"ab", "c\"d"}});
  CHECK(rows("\"a\r\"\r\n", torn) == std::vector<Row>{{"a\r"}});
  CHECK(rows("", torn).empty());
  CHECK(rows("\n\r\n\n", torn).empty());
}

TEST_CASE("CSV that ends inside quotes is torn") {
  bool torn = false;
  CHECK(rows("a,b\n1,\"never closed\n2,3\n", torn) == std::vector<Row>{{"a", "b"}});
  CHECK(torn);
}

TEST_CASE("A CSV row becomes a JSON object under its header's names") {
  std::string out;
  append_csv_object({"a", "b \"c\""}, {"1", "x\n", "more"}, out);
  CHECK(out == R"({"a":"1","b \"c\"":"x\n","column_3":"more"})");
  out.clear();
  append_csv_object({"a", "b"}, {"1"}, out);
  CHECK(out == R"({"a":"1"})");
}
