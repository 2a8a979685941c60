// SPDX-License-Identifier: Apache-2.0
// Sinks: what a component author implements to send records out.
//
// SinkPlan (configuration, resolved once, const, shared by workers) and Sink (running). A sink with
// placement `each_worker` has one instance per worker; `one` has a single instance that gets every
// worker's records, in the order of each worker.
//
// Checkpoint e, in this order:
//   worker thread:  barrier(e)      all that was written before belongs to e
//   worker thread:  prepared(e)     asked between batches until true: all of e is durable at the
//   far
//                                   side, or (transactional) ready to be made visible
//   control thread: Transaction::commit(e), where the sink has one
//   control thread: the epoch with every sink's `state` is synced to disk: the commit
//   worker thread:  committed(e)
#pragma once

#include "engine/api/diagnostics.h"
#include "engine/api/emitter.h"
#include "engine/api/needs.h"
#include "engine/api/source.h"
#include "engine/core/batch.h"
#include "engine/core/schema.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

enum class Promise : std::uint8_t { exactly_once, at_least_once };
enum class Placement : std::uint8_t { each_worker, one };

// Makes an epoch's output visible at the far side together with the source positions. Shared by all
// transactional sinks of a pipeline that write to the same place. Called on the control thread.
class Transaction {
 public:
  virtual ~Transaction() = default;
  virtual std::string name() const = 0;  // equal names = the same transaction
  // The last epoch that the far side has committed, 0 for none. Called once before any record.
  // Fences every older process that uses the same name.
  virtual Result<Epoch> last_committed() = 0;
  // positions: by source node name. Returns when committed. Idempotent for the same epoch.
  virtual Status commit(Epoch epoch, const std::map<std::string, Positions>& positions) = 0;
};

struct SinkContext {
  std::string node;
  std::string pipeline;
  std::string state_dir;  // the pipeline's own folder
  unsigned worker = 0;
  unsigned workers = 1;
  const Clock* clock = nullptr;
  Shared* shared = nullptr;
  std::string restored;  // `state` of the last committed epoch; empty on a first start
  std::function<void(int level, const std::string& text)> log;
  // Of the state directory: random, made with it, another one after --fresh. What a sink keeps at
  // the far side about epochs is about the epochs of this directory only.
  std::string state_id;
};

class Sink {
 public:
  virtual ~Sink() = default;
  // May buffer, may block for back-pressure (then the worker's reading stops). An error with
  // Retry::backoff: the engine calls again with the same batch after a pause, and tells about it
  // once if it has a message; any other stops the pipeline. A record that can never be written goes
  // through `out.reject`.
  virtual Status write(const Batch& batch, Emitter& out) = 0;
  // Called between batches: send what waits for linger time; reject what turned out only after its
  // write() that it can never be written.
  virtual Status tick(Emitter& /*out*/) { return {}; }
  virtual Status barrier(Epoch epoch) = 0;
  virtual Result<bool> prepared(Epoch epoch) = 0;
  // Text stored in epoch `epoch`, valid once prepared(epoch) said true (file sink: its length).
  virtual std::string state(Epoch /*epoch*/) { return {}; }
  virtual void committed(Epoch /*epoch*/) {}
  // All input has ended: asked between batches until true, before the last epoch. False while
  // something waits for the far side. Not asked when the process is told to stop.
  virtual Result<bool> drained() { return true; }
  virtual Transaction* transaction() { return nullptr; }
  // The run ends: close() of every sink follows, of one after the other. What close() would wait
  // for begins here, so that the waits of all are one. Returns at once.
  virtual void stopping() noexcept {}
  virtual void close() noexcept {}
};

struct Claim {
  std::string target;  // "file:/var/out.ndjson"
  // For people: "b writes to the same … as a".
  std::string_view kind = "place";
};

class SinkPlan {
 public:
  virtual ~SinkPlan() = default;
  virtual Needs needs() const = 0;
  virtual void bind(const Schema& in, Diagnostics& problems) = 0;
  virtual Promise promise() const = 0;
  virtual Placement placement() const = 0;
  // True when its Sink has a Transaction: such sinks are opened before any state is restored,
  // because only they can tell whether the last epoch did commit. They get no restored `state`.
  virtual bool transactional() const { return false; }
  virtual std::string describe() const = 0;  // one line for `check`
  // What no other sink may write to.
  virtual std::vector<Claim> claims() const { return {}; }
  // The file in which its records stand as JSON, one by line: dead letters there can be read back.
  // Empty: there is none.
  virtual std::string json_file() const { return {}; }
  virtual Result<std::unique_ptr<Sink>> open(SinkContext context) const = 0;
};

}  // namespace streamd
