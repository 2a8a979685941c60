// SPDX-License-Identifier: Apache-2.0
// The Emitter that a worker hands to one of its nodes. Private to the worker's sources.
#pragma once

#include "engine/codec/encode.h"
#include "engine/runtime/worker.h"

#include <string>

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
    bury(batch, i, node_.plan->in, fault);
  }
  void fail(const Batch& batch, std::size_t i, const Fault& fault) override {
    NodeCounters::add(node_.counters->failed, 1);
    bury(batch, i, node_.plan->ports.out, fault);
  }

 private:
  // What was made by a window has no original bytes: its columns stand for them.
  void bury(const Batch& batch, std::size_t i, const Schema& schema, const Fault& fault) {
    std::string made;
    if (batch.rows().raw.empty()) JsonEncoder(schema).append(batch, i, made);
    worker_.dead_letters_.add(node_.plan->name, fault, batch.origin(), batch.position(i),
                              batch.time(i), made.empty() ? batch.raw(i) : made);
  }

  Worker& worker_;
  Node& node_;
};

}  // namespace streamd
