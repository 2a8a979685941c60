// SPDX-License-Identifier: Apache-2.0
#include "sinks/dated_name.h"

#include "engine/api/diagnostics.h"
#include "tests/support/catch.h"

#include <memory>

using namespace streamd;

namespace {

// The name of a record of 2026-11-23 04:05:06 UTC with this text in field `host`.
std::string named(const std::string& name, std::string_view host) {
  Diagnostics problems;
  TemplateText text;
  text.text = name;
  auto dated = DatedName::parse(text, "an index", problems);
  REQUIRE(dated);
  Schema schema;
  schema.fields = {{"host", Type::any}};
  REQUIRE(dated->bind(schema, problems));
  auto rows = std::make_shared<Rows>();
  rows->time.push_back({1'795'406'706'000'000});
  rows->floor.push_back(EventTime::min());
  rows->position.push_back(0);
  const Batch batch(rows, {std::make_shared<Column>(1, Value::string(host))},
                    std::make_shared<const Origin>());
  std::string out = "kept ", why;
  REQUIRE(dated->render(batch, 0, out, &why));
  return out;
}

}  // namespace

TEST_CASE("Names have the date of the record", "[sinks]") {
  CHECK(named("logs-%Y.%m.%d-%H", "a") == "kept logs-2026.11.23-04");
  CHECK(named("logs-{{ host }}-%Y", "a") == "kept logs-a-2026");
  CHECK(named("logs-100%-%%-%x", "a") == "kept logs-100%-%%-%x");
}

TEST_CASE("What a record holds is no date", "[sinks]") {
  CHECK(named("logs-{{ host }}-%Y", "%Y-%m") == "kept logs-%Y-%m-2026");
  CHECK(named("logs-{{ host }}-%Y", "50%") == "kept logs-50%-2026");
  CHECK(named("logs-{{ host }}Y-%Y", "%") == "kept logs-%Y-2026");
  CHECK(named("logs-{{ host }}", "%Y") == "kept logs-%Y");
}
