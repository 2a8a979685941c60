// SPDX-License-Identifier: Apache-2.0
// The Emitter that a worker hands to one of its nodes. Private to the worker's sources.
#pragma once

#include "engine/runtime/worker.h"

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
    worker_.dead_letters_.add(node_.plan->name, fault, batch.origin(), batch.position(i),
                              batch.time(i), batch.raw(i));
  }

 private:
  Worker& worker_;
  Node& node_;
};

}  // namespace streamd
