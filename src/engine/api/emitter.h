// SPDX-License-Identifier: Apache-2.0
// Emitter: the way out of a node. Handed to each call; valid during that call only.
#pragma once

#include "engine/api/drop.h"
#include "engine/core/batch.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace streamd {

enum class Port : std::uint16_t { out, late, errors };
// Ports of the names in OperatorPlan::routes() follow.
constexpr Port route_port(std::size_t n) { return static_cast<Port>(3 + n); }
constexpr bool is_route(Port port) { return port > Port::errors; }
constexpr std::size_t route_of(Port port) { return static_cast<std::size_t>(port) - 3; }

// Machine-readable cause of a dead letter: stable, kebab-case ("bad-json", "missing-field",
// "convert", "expression", "overflow", "too-long", "bad-utf8", "no-time", "bad-time").
struct Fault {
  std::string_view code;
  std::string_view reason;  // for people; copied
  unsigned attempts = 1;    // how often it was tried
};

class Emitter {
 public:
  virtual ~Emitter() = default;
  // Passes the batch on to the nodes behind `port`, within this call or through a ring.
  // Empty batches are ignored. Records sent to `late` count as dropped{late} of this node.
  virtual void emit(const Batch& batch, Port port = Port::out) = 0;
  // Counts `records` input records that go no further.
  virtual void drop(DropReason reason, std::size_t records) = 0;
  // Record i of `batch` cannot be used: it becomes a dead letter with this cause.
  virtual void reject(const Batch& batch, std::size_t i, const Fault& fault) = 0;
  // Record i of `batch`, a result that this node has made and not emitted, has no value or no
  // decision: it becomes a dead letter and counts as a failed result, not against the input.
  virtual void fail(const Batch& batch, std::size_t i, const Fault& fault) = 0;
};

}  // namespace streamd
