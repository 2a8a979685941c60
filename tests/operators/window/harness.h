// SPDX-License-Identifier: Apache-2.0
// What the tests of the window operator share: configuration without YAML, a state store in
// memory, an emitter that keeps what it gets, and a node of several workers that can be restarted.
#pragma once

#include "engine/api/operator.h"
#include "engine/api/registry.h"
#include "tests/operators/window/oracle.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace streamd::test {

ConfigNode scalar(std::string text);
ConfigNode list_of(const std::vector<std::string>& items);
ConfigNode map_of(std::vector<std::pair<std::string, ConfigNode>> entries);

// Fields k (text) and x (anything), both columns of a closed schema.
Schema test_schema();
// A batch of these records; the position of each is its index.
Batch test_batch(const std::vector<OracleRecord>& records);

// Null when there are problems; then they are in `problems`.
std::unique_ptr<OperatorPlan> make_plan(const ConfigNode& config, Diagnostics& problems);
// REQUIREs that there is no problem and binds to test_schema().
std::unique_ptr<OperatorPlan> bound_plan(const ConfigNode& config);

struct MemoryState {
  std::map<std::pair<unsigned, std::string>, std::string> rows;
  std::size_t written = 0;  // bytes, over all checkpoints
};

class Kept final : public Emitter {
 public:
  void emit(const Batch& batch, Port port) override;
  void drop(DropReason reason, std::size_t records) override;
  void reject(const Batch& batch, std::size_t i, const Fault& fault) override;
  void fail(const Batch& batch, std::size_t i, const Fault& fault) override;

  Schema schema;                   // of the results
  std::vector<OracleRow> rows;     // results as the oracle shows them
  std::vector<std::string> lines;  // results: name=value for every column
  std::vector<std::uint64_t> ids;
  std::vector<std::int64_t> lateness;  // microseconds
  std::map<std::string, std::size_t> dropped;
  std::vector<std::string> rejected;  // codes
  std::vector<std::string> failed;    // codes of results
  std::size_t largest = 0;            // rows of the largest batch of results
};

// One node: one operator per worker, records sent to the worker that owns the key.
class Node {
 public:
  Node(const ConfigNode& config, unsigned workers);
  void records(const std::vector<OracleRecord>& records);
  // The same, but they come in on all workers in turn, which send what they have made of them.
  void combined(const std::vector<OracleRecord>& records);
  void watermark(std::int64_t w);  // of all workers
  void watermark(std::int64_t w, unsigned worker);
  void checkpoint();
  // Forgets everything since the last checkpoint.
  void restart(unsigned workers);
  std::size_t live_keys() const;

  Kept out;
  MemoryState state;
  // Records that combined() did not have to send as they came.
  std::size_t summed = 0, relayed = 0;
  std::unique_ptr<OperatorPlan> plan;

 private:
  void start(unsigned workers);
  unsigned owner(const OracleRecord& record) const;
  std::vector<std::unique_ptr<Operator>> workers_;
  std::int64_t told_ = INT64_MIN;  // the latest watermark of any worker
};

std::string show_value(const Value& value);

}  // namespace streamd::test
