// SPDX-License-Identifier: Apache-2.0
// A node with state on several workers, as the engine runs it: each record goes to the worker that
// owns its key, a checkpoint goes to a store in memory, and a restart begins from there.
#pragma once

#include "engine/core/hash.h"
#include "engine/core/key.h"
#include "tests/operators/operator_fixture.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace streamd::test {

class KeyedNode : private StateReader {
 public:
  static constexpr std::uint64_t kSeed = 0x1234567;
  OperatorFixture node;
  std::map<std::pair<unsigned, std::string>, std::string> rows;  // the store

  KeyedNode(const std::string& type, const ConfigNode& fields, const Schema& in,
            unsigned workers = 1)
      : node(type, fields, in), in_(in) {
    begin(workers);
  }
  KeyedNode(const std::string& type, const ConfigNode& fields, const std::vector<Schema>& sides,
            unsigned workers = 1)
      : node(type, fields, sides) {
    begin(workers);
  }
  KeyedNode(Registry known, const std::string& type, const ConfigNode& fields, const Schema& in,
            unsigned workers = 1)
      : node(std::move(known), type, fields, in), in_(in) {
    begin(workers);
  }
  Collector& out() { return node.out; }

  // All fields but the first, which is the event time in microseconds, are the columns.
  void records(const std::vector<Column>& columns, const std::vector<std::int64_t>& times,
               EventTime floor = EventTime::min()) {
    auto rows_of = std::make_shared<Rows>();
    for (const std::int64_t time : times) {
      rows_of->time.push_back({time});
      rows_of->floor.push_back(floor);
      rows_of->position.push_back(position_++);
    }
    std::vector<ColumnPtr> shared;
    for (const Column& column : columns) shared.push_back(std::make_shared<const Column>(column));
    const Batch batch(rows_of, shared, std::make_shared<const Origin>(Origin{"test", "0"}));
    auto hashes = std::make_shared<std::vector<std::uint64_t>>(hashes_of(batch));
    std::vector<std::vector<std::uint32_t>> parts(workers_.size());
    for (std::uint32_t row = 0; row < batch.size(); ++row)
      parts[owner_of(key_group((*hashes)[row]), count())].push_back(row);
    for (unsigned w = 0; w < count(); ++w) {
      if (parts[w].empty()) continue;
      const Batch sent = count() == 1 ? batch : batch.with_key_hashes(hashes).select(parts[w]);
      REQUIRE(workers_[w]->on_batch(sent, node.out));
    }
  }
  void watermark(std::int64_t micros) {
    for (auto& worker : workers_) REQUIRE(worker->on_watermark({micros}, node.out));
  }
  void checkpoint() {
    for (unsigned w = 0; w < count(); ++w) {
      Writer writer(rows, w, count());
      REQUIRE(workers_[w]->checkpoint(writer));
    }
  }
  // As after kill -9: what was not in the last checkpoint is gone.
  void restart(unsigned workers) { start(workers); }
  // The error of a restart from what is in `rows`; empty: none.
  std::string restart_error() {
    auto fresh = node.plan->make(context(0, 1));
    const Status status = fresh->restore(*this);
    return status ? "" : status.error().message;
  }
  std::size_t live_keys() const {
    std::size_t keys = 0;
    for (const auto& worker : workers_) keys += worker->live_keys();
    return keys;
  }
  // What came out in this column, in order.
  std::vector<Value> given(const std::string& field) const {
    std::vector<Value> values;
    for (const Batch& batch : node.out.batches)
      for (std::size_t i = 0; i < batch.size(); ++i)
        values.push_back(batch.at(*node.ports.out.find(field), i));
    return values;
  }

 private:
  class Writer final : public StateWriter {
   public:
    Writer(std::map<std::pair<unsigned, std::string>, std::string>& rows, unsigned worker,
           unsigned workers)
        : rows_(rows), worker_(worker), workers_(workers) {}
    void put(unsigned group, std::string_view sub_key, std::string_view value) override {
      REQUIRE(owner_of(group, workers_) == worker_);
      rows_[{group, std::string(sub_key)}] = value;
    }
    void erase(unsigned group, std::string_view sub_key) override {
      REQUIRE(owner_of(group, workers_) == worker_);
      rows_.erase({group, std::string(sub_key)});
    }
    void erase_range(unsigned group, std::string_view from, std::string_view to) override {
      REQUIRE(owner_of(group, workers_) == worker_);
      rows_.erase(rows_.lower_bound({group, std::string(from)}),
                  rows_.lower_bound({group, std::string(to)}));
    }

   private:
    std::map<std::pair<unsigned, std::string>, std::string>& rows_;
    unsigned worker_, workers_;
  };

  Status scan(const Visit& visit) override {
    for (const auto& [key, value] : rows) STREAMD_TRY(visit(key.first, key.second, value));
    return {};
  }
  unsigned count() const { return static_cast<unsigned>(workers_.size()); }
  OperatorContext context(unsigned worker, unsigned workers) const {
    OperatorContext c;
    c.node = "node";
    c.worker = worker;
    c.workers = workers;
    c.hash_seed = kSeed;
    return c;
  }
  void begin(unsigned workers) {
    for (const auto& problem : node.problems.all()) UNSCOPED_INFO(problem.message);
    REQUIRE(node.problems.errors() == 0);
    start(workers);
  }
  void start(unsigned workers) {
    workers_.clear();
    for (unsigned w = 0; w < workers; ++w) {
      workers_.push_back(node.plan->make(context(w, workers)));
      const Status status = workers_.back()->restore(*this);
      if (!status) UNSCOPED_INFO(status.error().message);
      REQUIRE(status);
    }
  }
  std::vector<std::uint64_t> hashes_of(const Batch& batch) const {
    std::vector<std::uint64_t> hashes(batch.physical_rows());
    if (node.plan->hashes_keys()) {
      node.plan->hash_keys(batch, kSeed, hashes);
      return hashes;
    }
    for (std::size_t row = 0; row < batch.size(); ++row) {
      std::string key;
      for (const auto& name : node.plan->key_fields())
        append_key(batch.at(*in_.find(name), row), key);
      hashes[row] = hash_key(key, kSeed);
    }
    return hashes;
  }

  Schema in_;
  std::uint64_t position_ = 0;
  std::vector<std::unique_ptr<Operator>> workers_;
};

}  // namespace streamd::test
