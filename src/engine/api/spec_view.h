// SPDX-License-Identifier: Apache-2.0
// SpecView: all that is known of one component type, as plain data. Docs, JSON schema, `list` and
// validation read it; Spec<Config> (spec.h) is the only writer.
#pragma once

#include <string>
#include <vector>

namespace streamd {

struct FieldView {
  std::string name;
  std::string help;
  std::string type;         // for people: "duration", "list of string", "one of close, changed"
  std::string json_schema;  // a JSON Schema fragment for the value
  std::string fallback;     // default as YAML; empty = none
  bool required = false;
  bool secret = false;  // printed as *** everywhere
  bool advanced = false;
  std::vector<std::string> examples;  // YAML values
  std::vector<FieldView> nested;      // keys of the value, when it is a map with keys of its own
  bool names_fields = true;           // which fields leave the node may depend on it
};

struct ExampleView {
  std::string title;
  std::string yaml;  // the node's body, parsed by a test
};

struct SpecView {
  std::string kind;     // source, list, operator, sink
  std::string type;     // name in YAML
  std::string summary;  // one sentence
  std::string details;  // Markdown, may be empty
  std::string promise;  // delivery, in words
  std::string plugin;   // name of the plugin that brings it; empty: built in
  std::vector<FieldView> fields;
  std::vector<std::string> rules;
  std::vector<ExampleView> examples;

  std::vector<std::string> field_names() const {
    std::vector<std::string> names;
    for (const auto& f : fields) names.push_back(f.name);
    return names;
  }
};

}  // namespace streamd
