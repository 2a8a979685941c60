// SPDX-License-Identifier: Apache-2.0
#include "engine/config/reference.h"

#include "engine/config/yaml.h"
#include "tests/support/catch.h"

using namespace streamd;

namespace {

struct FilterConfig {
  ExprText where;
  Duration within = Duration::from_seconds(30);
};

Registry registry() {
  Registry out;
  out.add_operator(
      Spec<FilterConfig>("filter")
          .summary("Passes records for which an expression is true.")
          .field(&FilterConfig::where, {.name = "where",
                                        .help = "Condition | CEL.",
                                        .required = true,
                                        .examples = {"status >= 400"}})
          .field(&FilterConfig::within, {.name = "within", .help = "Time.", .advanced = true})
          .rule("within must be positive", [](const FilterConfig&) { return true; })
          .example("Errors", "where: status >= 400"),
      [](FilterConfig, const ConfigNode&, Diagnostics&) {
        return std::unique_ptr<OperatorPlan>();
      });
  return out;
}

SpecView common() {
  SpecView view;
  view.fields = {{.name = "type",
                  .help = "Type.",
                  .type = "text",
                  .json_schema = "{}",
                  .fallback = "",
                  .required = true},
                 {.name = "input",
                  .help = "From | where.",
                  .type = "text",
                  .json_schema = "{}",
                  .fallback = ""}};
  return view;
}

ConfigNode as_json(const std::string& text) {
  Diagnostics problems;
  const Surroundings none{[](const std::string&) { return std::optional<std::string>("x"); },
                          [](const std::string&) -> Result<std::string> { return std::string(); }};
  auto node = parse_yaml(text, 0, none, problems);
  for (const auto& p : problems.all())
    if (p.code != "variable") FAIL_CHECK(p.message);
  REQUIRE(node);
  return std::move(*node);
}

}  // namespace

TEST_CASE("the reference has an index and a page for each type") {
  const SpecView view = common();
  const auto pages = reference_pages(registry(), {view, view, view});
  REQUIRE(pages.size() == 4);
  CHECK(pages.at("index.md").find("[`filter`](operators/filter.md)") != std::string::npos);
  const std::string& page = pages.at("operators/filter.md");
  CHECK(page.find("# operator `filter`") != std::string::npos);
  CHECK(page.find("*an expression, required*") != std::string::npos);
  CHECK(page.find("default `30s`") > page.find("## Advanced keys"));
  CHECK(page.find("where: status >= 400") != std::string::npos);
  CHECK(page.find("- within must be positive") != std::string::npos);
  CHECK(page.find("From \\| where.") != std::string::npos);
  CHECK(pages.at("pipeline.md").find("### `dead_letters`") != std::string::npos);
  CHECK(pages.at("expressions.md").find("| `isIP(string) -> bool` |") != std::string::npos);
  for (const char* words : {"`template` where the expression stands in `{{ }}`", "a million steps"})
    CHECK(pages.at("expressions.md").find(words) != std::string::npos);
}

TEST_CASE("the JSON schema decides by type and refuses other keys") {
  const SpecView view = common();
  const ConfigNode schema = as_json(pipeline_json_schema(registry(), {view, view, view}));
  CHECK(schema.find("additionalProperties")->text == "false");
  const ConfigNode* filter = schema.find("definitions")->find("operator.filter");
  REQUIRE(filter != nullptr);
  CHECK(filter->find("additionalProperties")->text == "false");
  CHECK(filter->find("properties")->find("type")->find("const")->text == "filter");
  CHECK(filter->find("properties")->find("where")->find("description")->text == "Condition | CEL.");
  const ConfigNode* node =
      schema.find("properties")->find("operators")->find("additionalProperties");
  CHECK(node->find("allOf")->items[0].find("then")->find("$ref")->text ==
        "#/definitions/operator.filter");
}

TEST_CASE("list is a table or JSON") {
  CHECK(list_table(registry()) ==
        "operator  filter  Passes records for which an expression is true.\n");
  CHECK(list_table(registry(), "sink").empty());
  const ConfigNode list = as_json(list_json(registry()));
  REQUIRE(list.items.size() == 1);
  CHECK(list.items[0].find("fields")->items[1].find("default")->text == "30s");
}
