// SPDX-License-Identifier: Apache-2.0
// The top level of a pipeline file: its name, its nodes by section, and what belongs to the whole
// pipeline. What is inside a node is read by the node's component (api/spec.h).
#pragma once

#include "engine/api/config_node.h"
#include "engine/api/spec_view.h"
#include "engine/core/time.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace streamd {

enum class Section { sources, lists, operators, sinks };
std::string section_kind(Section section);  // source, list, operator, sink

struct DocumentNode {
  Section section = Section::sources;
  std::string name;  // [A-Za-z_][A-Za-z0-9_-]*
  Place place;       // of the name
  // A map, borrowed from the ConfigNode that was read; null: it is none, which was reported.
  const ConfigNode* body = nullptr;
  std::vector<std::size_t> members = {0};  // whose node it is, see Document::members
};

struct Document {
  std::string pipeline;  // [a-z0-9_-]+; names the state directory
  std::vector<std::string>
      members;                      // of several files that are one job (plan/joint.h): their names
  Place place;                      // where the file begins, for what concerns the whole pipeline
  std::vector<DocumentNode> nodes;  // in the order of the file; names may repeat
  std::optional<std::string> dead_letters;  // name of a sink
  Place dead_letters_place;
  std::set<Section> unreadable;  // sections that are no maps, which was reported
  Duration checkpoint_every = Duration::from_seconds(1);
};

// Reports every problem; gives back what could be read, so that the nodes can be checked too.
// Misspelled keys of `root` get the name that is meant. The document borrows from `root`.
Document read_document(ConfigNode& root, Diagnostics& problems);

// `plugins:` of a file. They are loaded before the document is read, because they decide which
// types there are.
struct PluginPath {
  std::string path;  // as written
  Place place;
};
std::vector<PluginPath> read_plugins(const ConfigNode& root, Diagnostics& problems);

// The top-level keys, for the reference and the JSON schema.
SpecView document_view();

}  // namespace streamd
