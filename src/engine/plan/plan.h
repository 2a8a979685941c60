// SPDX-License-Identifier: Apache-2.0
// Plan: a pipeline document turned into a typed DAG: schemas on every edge, columns that each
// source decodes, keys, ports. Pure, no I/O: `check` and `run` build the same one. Const once made;
// the runtime shares it between workers.
#pragma once

#include "engine/api/list.h"
#include "engine/api/operator.h"
#include "engine/api/registry.h"
#include "engine/api/sink.h"
#include "engine/api/source.h"
#include "engine/codec/decode.h"
#include "engine/match/list_slot.h"
#include "engine/plan/source_common.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace streamd {

// See PlanInput::columns.
constexpr int side_mark(std::size_t side) { return -2 - static_cast<int>(side); }
constexpr std::int64_t side_of_mark(int mark) { return -2 - mark; }

struct PlanInput {
  std::size_t node = 0;  // index into Plan::nodes, always smaller than the reader's own
  Port port = Port::out;
  // For each column of the reader's input schema: the column of this input, or -1 = always missing.
  // Several inputs of one node are brought to one schema that way. side_mark(n): of every record n,
  // the number of this input's side.
  std::vector<int> columns;
  bool identity = true;  // columns is 0, 1, 2, …: nothing to do
  bool closed = false;   // no record comes this way, only event time (replay_path.h)
};

struct PlanNode {
  enum class Kind { source, op, sink };
  Kind kind = Kind::source;
  std::string name;  // unique in the pipeline
  // Stateful nodes: whose state it is. Their name; of a node that works for several, the names of
  // all of those, in the order of the file.
  std::vector<std::string> state_of;
  std::string type;
  Place place;
  std::vector<PlanInput> inputs;
  Schema in;    // operators and sinks: what their batches look like
  Ports ports;  // sources and operators: what they emit (sources: `out` only)
  std::vector<std::size_t> key_columns;  // operators that shard: columns of `in`

  SourceCommon common;          // sources: decode, time, max_record
  std::vector<SourceUse> uses;  // sources: by whom
  std::unique_ptr<SourcePlan> source;
  std::unique_ptr<OperatorPlan> op;
  std::unique_ptr<SinkPlan> sink;
};

// A declared list. The runtime loads it and puts its content into the slot, which is all that the
// nodes know of it; the slot is the only part of a plan that changes.
struct PlanList {
  std::string name;
  std::string type;
  Place place;
  std::unique_ptr<ListPlan> plan;
  std::shared_ptr<ListSlot> slot;
};

struct Plan {
  std::string pipeline;
  std::vector<std::string> members;  // pipelines of which it is made; empty: itself (joint.h)
  std::vector<PlanList> lists;       // in the order of the file
  std::vector<PlanNode> nodes;       // inputs before readers
  Duration checkpoint_every = Duration::from_seconds(1);
  // The sink named by `dead_letters:`; it is in `nodes`, without inputs. None: the default file.
  std::optional<std::size_t> dead_letters;
};

// The schema of dead letters: closed; node, code, reason, source, partition, position, event_time,
// attempts, encoding (utf8 or base64: of data), data.
Schema dead_letter_schema();

// What leaves an operator by its port `late`: its input and the field `lateness`.
Schema late_schema(const Schema& in);

}  // namespace streamd
