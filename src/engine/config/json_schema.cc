// SPDX-License-Identifier: Apache-2.0
#include "engine/api/spec.h"
#include "engine/config/document.h"
#include "engine/config/reference.h"

#include <fmt/format.h>

namespace streamd {
namespace {

// The component's own keys and the common ones; `type` must be its name.
std::string node_schema(const SpecView& view, const SpecView& common) {
  SpecView all = view;
  all.fields.clear();
  all.details.clear();  // long, and in the reference
  for (const auto& field : common.fields) {
    all.fields.push_back(field);
    if (field.name == "type") {
      all.fields.back().json_schema = R"({"const":)" + json_quote(view.type) + "}";
      all.fields.back().help = view.summary;
    }
    if (field.name == "input") all.fields.back().required = false;  // the dead-letter sink has none
  }
  for (const auto& field : view.fields) all.fields.push_back(field);
  return object_schema(all);
}

// A map of nodes. The type is a choice first, so that an editor offers the names, and then decides
// which keys there are.
std::string section_schema(const std::vector<SpecView>& views, const std::string& help) {
  std::string names, summaries, branches;
  for (const auto& view : views) {
    names += (names.empty() ? "" : ",") + json_quote(view.type);
    summaries += (summaries.empty() ? "" : ",") + json_quote(view.summary);
    branches += branches.empty() ? "" : ",";
    branches += fmt::format(
        R"({{"if":{{"properties":{{"type":{{"const":{0}}}}},"required":["type"]}},)"
        R"("then":{{"$ref":{1}}}}})",
        json_quote(view.type), json_quote("#/definitions/" + view.kind + "." + view.type));
  }
  const std::string node = fmt::format(
      R"({{"type":"object","properties":{{"type":{{"enum":[{0}],"enumDescriptions":[{1}],)"
      R"("markdownEnumDescriptions":[{1}]}}}},"required":["type"],"allOf":[{2}]}})",
      names, summaries, branches.empty() ? "true" : branches);
  return fmt::format(R"({{"type":"object","description":{},"propertyNames":)"
                     R"({{"pattern":"^[A-Za-z_][A-Za-z0-9_-]*$"}},"additionalProperties":{}}})",
                     json_quote(help), node);
}

}  // namespace

std::string pipeline_json_schema(const Registry& registry, const CommonKeys& common) {
  std::string definitions;
  for (const auto& view : all_views(registry)) {
    const SpecView& keys = common.of(view.kind);
    definitions += (definitions.empty() ? "" : ",") + json_quote(view.kind + "." + view.type) +
                   ":" + node_schema(view, keys);
  }
  std::string properties, required;
  for (const auto& field : document_view().fields) {
    std::string schema = field.json_schema;
    if (field.type.starts_with("map of ")) {
      const std::string kind = field.name.substr(0, field.name.size() - 1);
      schema = section_schema(all_views(registry, kind), field.help);
    }
    properties += (properties.empty() ? "" : ",") + json_quote(field.name) + ":" + schema;
    if (field.required) required += (required.empty() ? "" : ",") + json_quote(field.name);
  }
  return fmt::format(
      R"({{"$schema":"http://json-schema.org/draft-07/schema#","title":"streamd pipeline",)"
      R"("type":"object","properties":{{{}}},"patternProperties":{{"^x-":true}},)"
      R"("required":[{}],"additionalProperties":false,"definitions":{{{}}}}})"
      "\n",
      properties, required, definitions);
}

}  // namespace streamd
