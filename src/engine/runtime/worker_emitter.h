// SPDX-License-Identifier: Apache-2.0
// The Emitter that a worker hands to one of its nodes. Private to the worker's sources.
#pragma once

#include "engine/codec/encode.h"
#include "engine/runtime/worker.h"

#include <string>
#include <string_view>

namespace streamd {

class Worker::NodeEmitter final : public Emitter {
 public:
  NodeEmitter(Worker& worker, Node& node) : worker_(worker), node_(node) {}
  void emit(const Batch& batch, Port port) override {
    if (!batch.empty()) worker_.emit(node_, batch, port);
  }
  void drop(DropReason reason, std::size_t records) override {
    NodeCounters::add(node_.counters->dropped[static_cast<std::size_t>(reason)], records);
  }
  void reject(const Batch& batch, std::size_t i, const Fault& fault) override {
    NodeCounters::add(node_.counters->dead_letters, 1);
    if (worker_.number_of(node_) != worker_.run_.dead_letters)
      return bury(batch, i, node_.plan->in, fault);
    std::string made;
    worker_.refuse(node_, text_of(batch, i, node_.plan->in, made), fault);
  }
  void fail(const Batch& batch, std::size_t i, const Fault& fault) override {
    NodeCounters::add(node_.counters->failed, 1);
    bury(batch, i, node_.plan->ports.out, fault);
  }

 private:
  // What was made by a window has no original bytes: its columns stand for them, in `made`.
  static std::string_view text_of(const Batch& batch, std::size_t i, const Schema& schema,
                                  std::string& made) {
    if (!batch.rows().raw.empty()) return batch.raw(i);
    JsonEncoder(schema).append(batch, i, made);
    return made;
  }
  void bury(const Batch& batch, std::size_t i, const Schema& schema, const Fault& fault) {
    std::string made;
    worker_.dead_letters_.add(node_.plan->name, fault, batch.origin(), batch.position(i),
                              batch.time(i), text_of(batch, i, schema, made));
    if (worker_.dead_letters_.bytes() >= DeadLetters::kMostBytes) worker_.flush_dead_letters();
  }

  Worker& worker_;
  Node& node_;
};

}  // namespace streamd
