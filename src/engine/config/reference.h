// SPDX-License-Identifier: Apache-2.0
// What is written from the registry alone: reference pages, the JSON schema for editors, `list`.
// Pure functions; the same registry gives the same bytes.
#pragma once

#include "engine/api/registry.h"

#include <map>
#include <string>
#include <vector>

namespace streamd {

// Keys that every component of a kind has besides its own (plan/source_common.h).
struct CommonKeys {
  const SpecView& source;
  const SpecView& node;  // operators and sinks
  const SpecView& list;

  const SpecView& of(const std::string& kind) const {
    return kind == "source" ? source : kind == "list" ? list : node;
  }
};

// Path below docs/reference -> Markdown: "index.md", "pipeline.md", "expressions.md",
// "sources/kafka.md", ….
std::map<std::string, std::string> reference_pages(const Registry& registry,
                                                   const CommonKeys& common);

// The page of another kind of file: its title, what it is, and the keys of each of its parts.
struct FilePart {
  std::string title;
  const SpecView& view;
};
std::string file_page(const std::string& title, const std::string& text,
                      const std::vector<FilePart>& parts);

// JSON Schema (draft 07, which YAML language servers read) of a pipeline file.
std::string pipeline_json_schema(const Registry& registry, const CommonKeys& common);

// `streamd list`: one line per component type, and per function of a plugin. `kind`: source, list,
// operator, sink, function (then those that are built in, too), or empty for all.
std::string list_table(const Registry& registry, const std::string& kind = {});
// `streamd list --json`: an array of objects with all that a SpecView holds.
std::string list_json(const Registry& registry, const std::string& kind = {});
// `streamd plugin info --json`: one object with what a plugin brings.
std::string plugin_json(const Registry& registry, const std::string& name,
                        const std::string& version);

// All views of a registry: sources, lists, operators, sinks, each sorted by type.
std::vector<SpecView> all_views(const Registry& registry, const std::string& kind = {});

}  // namespace streamd
