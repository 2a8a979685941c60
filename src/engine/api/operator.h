// SPDX-License-Identifier: Apache-2.0
// Operators: what a component author implements to transform records.
//
// Two objects: OperatorPlan is made from the configuration, resolved once against the input
// schema, then const and shared by all workers. Operator is the running state: one instance per
// worker, called by that worker's thread only, never re-entered. No locks needed in either.
#pragma once

#include "engine/api/config_node.h"
#include "engine/api/emitter.h"
#include "engine/api/needs.h"
#include "engine/api/shared.h"
#include "engine/api/state.h"
#include "engine/core/clock.h"
#include "engine/core/schema.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace streamd {

struct OperatorContext {
  std::string node;     // the node's name in the pipeline
  unsigned worker = 0;  // this instance's worker
  unsigned workers = 1;
  std::uint64_t hash_seed = 0;  // stable over restarts; the same on every worker
  const Clock* clock = nullptr;
  // For people: 0 info, 1 warning, 2 error; null: nobody reads it. One line per change of state,
  // never one per record.
  std::function<void(int level, const std::string& text)> log = {};
  // What the instances of all workers have in common; null: each has its own (tests).
  Shared* shared = nullptr;
  // Requested when the run is given up: what a call has done since the last checkpoint counts no
  // more. A call that waits for the world outside returns soon, with whatever.
  std::stop_token stop = {};
};

// What an operator has made of records for the worker that owns their keys. Made and taken by the
// operators of one node.
class Summary {
 public:
  virtual ~Summary() = default;
};
using Summaries = std::vector<std::unique_ptr<Summary>>;  // by worker; null: nothing for it

class Operator {
 public:
  virtual ~Operator() = default;
  // Called before any record when state of an earlier run exists. An error stops the process: state
  // that can't be read is never skipped.
  virtual Status restore(StateReader& /*state*/) { return {}; }
  // Every record of `in` must be accounted for: emitted, dropped, rejected, or (windows) taken in.
  // An error return means the engine cannot go on; a bad record is a reject, never an error.
  virtual Status on_batch(const Batch& in, Emitter& out) = 0;
  // With several workers, records go to those that own their keys. What can be done before that is
  // done where they come in: where combines() is true, every batch passes combine() on that worker.
  // It may drop records, take those of its own keys, and of others' send less than the batch, as
  // their sums: it puts what each worker shall take over, this one too, into `sums` (one place for
  // each) and returns the records that it leaves, which go on to on_batch() of their owners; the
  // others are accounted for. Nothing of others' keys stays behind in this instance. `least`: the
  // event time that other workers may know of; what is earlier may be late for them and must be
  // left. sums is null when nothing shall be summed up, as other workers have nothing to do but
  // what this one sends them.
  virtual bool combines() const { return false; }
  virtual Batch combine(const Batch& in, EventTime /*least*/, Summaries* /*sums*/,
                        Emitter& /*out*/) {
    return in;
  }
  // What combine() of any worker has made for this one; between batches, in their order.
  virtual Status on_summary(const Summary& /*summary*/, Emitter& /*out*/) { return {}; }
  // Event time has reached w on all inputs of this instance. Monotone. Emit what closes now; the
  // engine forwards w downstream after the call. EventTime::max() = the input has ended; the last
  // time it reached was told before.
  virtual Status on_watermark(EventTime /*w*/, Emitter& /*out*/) { return {}; }
  // Hand over what changed since the last call. The epoch is committed later, all or nothing; after
  // a failed commit the process ends, so there is nothing to take back.
  virtual Status checkpoint(StateWriter& /*state*/) { return {}; }
  // For metrics and the table at the end. 0 when the operator has no keys.
  virtual std::size_t live_keys() const { return 0; }
};

// What bind() says of a node's output.
struct Ports {
  Schema out;
  bool has_late = false;  // port `late` carries the input schema plus field `lateness` (duration)
};

class OperatorPlan {
 public:
  virtual ~OperatorPlan() = default;

  // What it needs of its input so that its own work and `wanted` (of its output) can be served.
  virtual Needs needs(const Needs& wanted) const = 0;
  // Resolves names against the input schema and checks types. Called twice: first with the fields
  // known from configuration alone, to report every mistake; then with the final columns. An open
  // schema has every field, with type `any`; a closed one has only its columns.
  virtual Ports bind(const Schema& in, Diagnostics& problems) = 0;
  // Operators that tell their inputs apart: how many there are. Each is a side, numbered from 0 in
  // the order of `input`, and side_needs() and bind_sides() are called in place of needs() and
  // bind(). Each batch is of one side: its columns are those of all sides, one side after the other
  // (of the others, all missing), then one with the number of its side. Keys: hashes_keys() only.
  // 0: all inputs are one stream.
  virtual std::size_t sides() const { return 0; }
  virtual Needs side_needs(std::size_t /*side*/, const Needs& wanted) const { return wanted; }
  virtual Ports bind_sides(const std::vector<Schema>& /*in*/, Diagnostics& /*problems*/) {
    return {};
  }
  // Names of outputs that take the place of `out`, known from configuration alone: route_port(n) is
  // NODE.name for what reads it. All have the schema of `out`, and each must be read.
  virtual std::vector<std::string> routes() const { return {}; }
  // The input fields whose values decide which worker gets a record. Empty: any worker, stateless.
  virtual std::vector<std::string> key_fields() const { return {}; }
  // Keys that are no plain fields: hashes_keys() is true, key_fields() is what people may read of
  // them, and the engine asks hash_keys(): hash_key() of each selected record's key, by physical
  // row; of a record that has no key, any number. Called by every worker, at the same time too.
  virtual bool hashes_keys() const { return false; }
  virtual void hash_keys(const Batch& /*in*/, std::uint64_t /*seed*/,
                         std::vector<std::uint64_t>& /*by_row*/) const {}
  // True when what leaves is the records that came, so that in = out + drops + dead letters holds.
  // False when it is results made of them (windows).
  virtual bool passes_records() const { return !stateful(); }
  // True when the node keeps state (then its name is its identity on disk).
  virtual bool stateful() const { return false; }
  // Canonical text of everything that decides what the stored state means (key, window,
  // aggregates). Stored with the state; a different text at start is refused. Empty when stateless.
  virtual std::string state_signature() const { return {}; }
  // Work that nodes of one type may do together: canonical text of all they do but their last step.
  // Nodes with the same input and the same text share it. Empty: this one works alone.
  virtual std::string shared_work() const { return {}; }
  // For nodes with one shared_work(), asked of the first: the operator that works for all of them.
  // What it emits, through last_step() of one of them, is what that one would have emitted.
  // `all` is valid during the call. Both results are unbound.
  virtual std::unique_ptr<OperatorPlan> common_step(
      const std::vector<const OperatorPlan*>& /*all*/) const {
    return nullptr;
  }
  virtual std::unique_ptr<OperatorPlan> last_step() const { return nullptr; }
  virtual std::unique_ptr<Operator> make(const OperatorContext& context) const = 0;
};

}  // namespace streamd
