// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/draft.h"
#include "engine/plan/remedies.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd {
namespace {

constexpr const char* kLateness = "lateness";

Schema anything() {
  Schema schema;
  schema.open = true;
  return schema;
}

// True when the need "a.b" is served by column "a.b" or, as a part of it, by column "a".
bool serves(const std::string& column, const std::string& need) {
  return need == column || (need.size() > column.size() && need[column.size()] == '.' &&
                            need.compare(0, column.size(), column) == 0);
}

}  // namespace

bool is_wanted(const std::string& column, const Needs& wanted) {
  return wanted.whole || std::any_of(wanted.fields.begin(), wanted.fields.end(),
                                     [&](const auto& need) { return serves(column, need); });
}

namespace {

// What the source decodes: exactly what is wanted of it.
Schema projected(const Schema& decoded, const Needs& wanted) {
  Schema schema;
  schema.open = decoded.open;
  schema.hidden = decoded.hidden;
  for (const auto& field : decoded.fields)
    if (is_wanted(field.name, wanted)) schema.fields.push_back(field);
  if (!decoded.open) return schema;
  for (const auto& name : wanted.fields)
    if (!decoded.find(name)) schema.fields.push_back({name, Type::any, false});
  std::sort(schema.fields.begin(), schema.fields.end(),
            [](const Field& a, const Field& b) { return a.name < b.name; });
  return schema;
}

Schema port_schema(const DraftNode& from, Port port) {
  return port == Port::late ? late_schema(from.node.in) : from.node.ports.out;
}

std::vector<Schema> input_schemas(const Draft& draft, const DraftNode& reader) {
  std::vector<Schema> schemas;
  for (const auto& input : reader.inputs)
    schemas.push_back(input.node ? port_schema(draft.nodes[*input.node], input.port) : anything());
  return schemas;
}

void check_ports(const Draft& draft, const DraftNode& reader, Diagnostics& problems) {
  for (const auto& input : reader.inputs) {
    if (!input.node || input.port != Port::late) continue;
    const DraftNode& from = draft.nodes[*input.node];
    if (from.node.ports.has_late) continue;
    problems.error("unknown-port", input.place,
                   fmt::format("{}: {} has no port \"late\"", reader.label(), from.label()),
                   fmt::format("write {}; only windows have port late", from.node.name));
  }
}

std::size_t sides_of(const DraftNode& node) {
  return node.node.op == nullptr ? 0 : node.node.op->sides();
}

// `schemas`: those of the inputs.
void bind_node(DraftNode& node, std::vector<Schema> schemas, Diagnostics& problems) {
  Diagnostics own;
  if (const std::size_t sides = sides_of(node); sides > 0) {
    if (schemas.size() != sides) schemas.assign(sides, anything());  // reported
    for (auto& schema : schemas) {
      schema.lists = node.node.in.lists;
      schema.functions = node.node.in.functions;
    }
    node.node.ports = node.node.op->bind_sides(schemas, own);
  } else if (node.node.op != nullptr) {
    node.node.ports = node.node.op->bind(node.node.in, own);
  }
  if (node.node.sink != nullptr) node.node.sink->bind(node.node.in, own);
  Diagnostics complete, told;
  complete_fields(node.body, node.node.in, own, complete);
  leave_out_consequences(node.doubts, complete, told);
  report_for(node.label(), node.body, told, problems);
  if (node.node.kind != PlanNode::Kind::op) return;
  if (node.node.op == nullptr) node.node.ports.has_late = true;  // it may be a window
  if (node.node.op == nullptr || node.doubts.fields ||
      !add_what_is_meant(complete, node.node.in, node.node.ports.out))
    node.node.ports.out = anything();
}

// `schemas`: those of the inputs.
void fill_inputs(DraftNode& reader, const std::vector<Schema>& schemas, const Unified& unified) {
  reader.node.inputs.clear();
  for (std::size_t i = 0; i < reader.inputs.size(); ++i) {
    PlanInput input;
    input.node = *reader.inputs[i].node;
    input.port = reader.inputs[i].port;
    input.columns = unified.columns[i];
    // A batch with more columns than the schema says is not the same either: nodes append to it.
    input.identity = input.columns.size() == schemas[i].fields.size();
    for (std::size_t c = 0; c < input.columns.size(); ++c)
      if (input.columns[c] != static_cast<int>(c)) input.identity = false;
    reader.node.inputs.push_back(std::move(input));
  }
}

void find_keys(DraftNode& node, Diagnostics& problems) {
  if (node.node.op == nullptr) return;
  node.node.key_columns.clear();
  if (node.node.op->hashes_keys()) return;
  for (const auto& key : node.node.op->key_fields()) {
    if (const auto column = node.node.in.find(key))
      node.node.key_columns.push_back(*column);
    else
      problems.error("unknown-field", node.node.place,
                     fmt::format("{}: its input has no field \"{}\"", node.label(), key));
  }
}

bool hides_or_derives(const Schema& schema, const std::string& name) {
  if (schema.is_hidden(name)) return true;
  const auto column = schema.find(name);
  return column && schema.fields[*column].derived;
}

// All schemas are open. The column is needed when one of them says something else than its bytes.
bool settled_in_bytes(const std::vector<Schema>& inputs, const std::string& name) {
  return std::none_of(inputs.begin(), inputs.end(),
                      [&](const Schema& schema) { return hides_or_derives(schema, name); });
}

void add_column(const std::vector<Schema>& inputs, const std::string& name, Unified& into) {
  Field field{name, Type::any, false};
  bool first = true;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto column = inputs[i].find(name);
    into.columns[i].push_back(column ? static_cast<int>(*column) : -1);
    field.derived = field.derived || hides_or_derives(inputs[i], name);
    if (!column) continue;
    const Type type = inputs[i].fields[*column].type;
    field.type = first || field.type == type ? type : Type::any;
    first = false;
  }
  into.schema.fields.push_back(std::move(field));
}

// What a node asks of input i beyond its own needs when the whole record is wanted of several open
// inputs: names that another input has changed or removed, so that all have them as columns.
void add_changed_elsewhere(const std::vector<Schema>& inputs, std::size_t i, Needs& needs) {
  for (const auto& schema : inputs) {
    for (const auto& field : schema.fields)
      if (field.derived && !inputs[i].is_hidden(field.name)) needs.fields.insert(field.name);
    for (const auto& name : schema.hidden)
      if (!inputs[i].is_hidden(name)) needs.fields.insert(name);
  }
}

// Nodes without sides.
Needs needs_of(const DraftNode& node) {
  if (node.node.sink != nullptr) return node.node.sink->needs();
  Needs needs = node.node.op->needs(node.wanted[0]);
  Needs late = node.wanted[1];
  late.fields.erase(kLateness);
  needs.merge(late);
  if (!node.node.op->hashes_keys())
    for (const auto& key : node.node.op->key_fields()) needs.fields.insert(key);
  return needs;
}

// What is wanted of the output that an input reads.
Needs& wanted_of(Draft& draft, const DraftInput& input) {
  return draft.nodes[*input.node].wanted[input.port == Port::late ? 1 : 0];
}

}  // namespace

// Records that were late before already have the field.
Schema late_schema(const Schema& in) {
  Schema late = in;
  const Field lateness{kLateness, Type::duration, true};
  if (const auto at = late.find(kLateness))
    late.fields[*at] = lateness;
  else
    late.fields.push_back(lateness);
  std::erase(late.hidden, kLateness);
  return late;
}

Unified unify(const std::vector<Schema>& inputs, Pass pass) {
  Unified out;
  out.columns.resize(inputs.size());
  const auto is_open = [](const Schema& schema) { return schema.open; };
  const bool all_open = std::all_of(inputs.begin(), inputs.end(), is_open);
  const bool any_open = std::any_of(inputs.begin(), inputs.end(), is_open);
  out.schema.open = all_open || (any_open && pass == Pass::first);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    for (const auto& field : inputs[i].fields) {
      if (out.schema.find(field.name)) continue;
      const bool everywhere = std::all_of(inputs.begin(), inputs.end(), [&](const Schema& schema) {
        return schema.find(field.name).has_value();
      });
      if (all_open && !everywhere && settled_in_bytes(inputs, field.name)) continue;
      add_column(inputs, field.name, out);
    }
  }
  for (const auto& schema : inputs)
    for (const auto& name : schema.hidden)
      if (all_open && !out.schema.find(name) && !out.schema.is_hidden(name))
        out.schema.hidden.push_back(name);
  return out;
}

Unified side_by_side(const std::vector<Schema>& inputs) {
  Unified out;
  out.columns.resize(inputs.size());
  for (std::size_t side = 0; side < inputs.size(); ++side) {
    out.schema.open = out.schema.open || inputs[side].open;
    for (std::size_t c = 0; c < inputs[side].fields.size(); ++c) {
      out.schema.fields.push_back(inputs[side].fields[c]);
      for (std::size_t i = 0; i < inputs.size(); ++i)
        out.columns[i].push_back(i == side ? static_cast<int>(c) : -1);
    }
  }
  out.schema.fields.push_back({"side", Type::int64, true});
  for (std::size_t i = 0; i < inputs.size(); ++i) out.columns[i].push_back(side_mark(i));
  return out;
}

void bind_nodes(Draft& draft, Pass pass, Diagnostics& problems) {
  for (const std::size_t i : draft.order) {
    DraftNode& node = draft.nodes[i];
    if (node.node.kind == PlanNode::Kind::source) {
      const Schema decoded = decoded_schema(node.node.common.decode);
      node.node.ports.out = !node.decodes        ? anything()
                            : pass == Pass::last ? projected(decoded, node.wanted[0])
                                                 : decoded;
      continue;
    }
    check_ports(draft, node, problems);
    const std::vector<Schema> schemas = input_schemas(draft, node);
    Unified unified;
    if (draft.dead_letters == i)
      unified.schema = dead_letter_schema();
    else if (node.inputs.empty())
      unified.schema = anything();
    else
      unified = sides_of(node) > 0 ? side_by_side(schemas) : unify(schemas, pass);
    if (pass == Pass::last) fill_inputs(node, schemas, unified);
    node.node.in = std::move(unified.schema);
    node.node.in.lists = draft.scopes[node.member];
    node.node.in.functions = draft.functions;
    bind_node(node, schemas, problems);
    if (pass == Pass::last) find_keys(node, problems);
  }
}

void collect_needs(Draft& draft, Diagnostics& problems) {
  for (auto at = draft.order.rbegin(); at != draft.order.rend(); ++at) {
    DraftNode& node = draft.nodes[*at];
    if (node.node.kind == PlanNode::Kind::source) {
      const auto& time = node.node.common.time;
      if (time && !time->field.empty()) node.wanted[0].fields.insert(time->field);
      continue;
    }
    if (sides_of(node) > 0) {
      for (std::size_t side = 0; side < node.inputs.size(); ++side)
        wanted_of(draft, node.inputs[side]).merge(node.node.op->side_needs(side, node.wanted[0]));
      continue;
    }
    const Needs needs = needs_of(node);
    const std::vector<Schema> schemas = input_schemas(draft, node);
    const auto open =
        std::count_if(schemas.begin(), schemas.end(), [](const Schema& s) { return s.open; });
    const bool mixed = open > 0 && static_cast<std::size_t>(open) < schemas.size();
    if (mixed && needs.whole)
      problems.error("mixed-inputs", node.inputs.front().place,
                     fmt::format("{}: some of its inputs are raw records and some are results, "
                                 "and it passes on whole records",
                                 node.label()),
                     "put a map with keep: [fields] before it, or use one node for each");
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      Needs asked = needs;
      if (needs.whole && schemas.size() > 1 && !mixed && open > 0)
        add_changed_elsewhere(schemas, i, asked);
      wanted_of(draft, node.inputs[i]).merge(asked);
    }
  }
}

}  // namespace streamd
