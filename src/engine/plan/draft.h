// SPDX-License-Identifier: Apache-2.0
// The plan while it is being made; seen by plan/*.cc only. Each step reports all it finds and the
// next one works with what is usable, so that the user sees every mistake at once.
#pragma once

#include "engine/config/document.h"
#include "engine/plan/doubts.h"
#include "engine/plan/plan.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace streamd {

struct DraftInput {
  std::string text;  // as written: node or node.port
  Place place;
  std::optional<std::size_t> node;  // index into Draft::nodes; none: reported
  Port port = Port::out;
};

struct DraftNode {
  const ConfigNode* body = nullptr;
  std::size_t member = 0;  // index into Draft::scopes
  std::vector<DraftInput> inputs;
  PlanNode node;                // node.inputs is filled at the end
  Doubts doubts;                // about its settings
  bool decodes = false;         // sources: node.common.decode is what the file says
  std::array<Needs, 2> wanted;  // by what reads its port out (or routes), late

  std::string label() const;  // operator "typed"
};

struct DraftList {
  const ConfigNode* body = nullptr;
  PlanList list;

  std::string label() const;  // list "blocklist"
};

struct Draft {
  Document document;
  std::vector<DraftList> lists;
  // Of all lists, those with mistakes too; one for each file that the job is made of.
  std::vector<std::shared_ptr<ListScope>> scopes;
  std::shared_ptr<const expr::FunctionScope> functions;  // of the registry
  std::vector<DraftNode> nodes;                          // in the order of the file
  std::vector<std::size_t> order;  // inputs before readers; without nodes in or behind a cycle
  std::optional<std::size_t> dead_letters;
};

// Adds the problems of one node or list, with its label in front. What came from a variable is not
// cited. `body` may be null.
void report_for(const std::string& label, const ConfigNode* body, const Diagnostics& own,
                Diagnostics& problems);

// components.cc: makes each node's and list's component from its settings.
void make_components(Draft& draft, const Registry& registry, Diagnostics& problems);
// graph.cc: resolves inputs and dead_letters, finds cycles, unused nodes and double names; orders.
void connect(Draft& draft, Diagnostics& problems);

// schemas.cc
enum class Pass { first, last };
// Binds the nodes in order. First: sources give what configuration alone tells, and a node with an
// error gives what is certain of it, or anything, so that what reads it is checked too. Last (only
// without errors): sources give exactly what is wanted of them, and PlanNode::inputs is filled.
void bind_nodes(Draft& draft, Pass pass, Diagnostics& problems);
// Asks from the sinks backwards. Needs the schemas of the first pass.
void collect_needs(Draft& draft, Diagnostics& problems);

// Whether somebody asks for this column, or for a part of it.
bool is_wanted(const std::string& column, const Needs& wanted);

// share.cc: where several operators do the same work on the same input up to a last step
// (OperatorPlan::shared_work), one more node does it and they keep their last step. True when
// there were some: then the nodes have to be bound anew. Needs a draft without errors.
bool share_work(Draft& draft);

// Several schemas brought to one: columns by name in order of appearance. All open: open; a name
// that is changed or removed in one of them becomes a column, since the raw bytes no longer say the
// same for all. All closed: every column of any. Mixed: as open in the first pass, where any name
// may be asked for; closed in the last, with the columns that are known.
struct Unified {
  Schema schema;
  std::vector<std::vector<int>> columns;  // per input, see PlanInput::columns
};
Unified unify(const std::vector<Schema>& inputs, Pass pass);
// The columns of all inputs one after the other, then the number of the side.
Unified side_by_side(const std::vector<Schema>& inputs);

}  // namespace streamd
