// SPDX-License-Identifier: Apache-2.0
// StandIn: who answers in the place of the world outside while a pipeline is tested. It lies in
// Shared; in a real run it is not there. Operators that ask files or services ask it instead, one
// question at a time and without a pace, so that the same test gives the same answers.
#pragma once

#include "engine/api/shared.h"
#include "engine/core/time.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace streamd {

// Made before the run; both functions are set. Any thread may call them, one at a time.
struct StandIn {
  struct Answer {
    int status = 200;
    std::string body;
    std::optional<Duration> retry_after;
    bool reachable = true;  // false: no answer at all, as when nothing listens there
  };
  // What a service says to node's GET for `target`, path and query as they are sent.
  std::function<Answer(const std::string& node, const std::string& target)> service;
  // What a file of node's holds: JSON objects, one a line; the member kKey is what each is found
  // under. nullopt: the file itself is read.
  std::function<std::optional<std::string>(const std::string& node)> file;
  static constexpr const char* kKey = "stand-in key";

  // Null in a real run, or where components share nothing. Not from within get_or_make().
  static std::shared_ptr<StandIn> of(Shared* shared) {
    if (shared == nullptr) return nullptr;
    return shared->get_or_make<StandIn>("stand-in", [] { return std::shared_ptr<StandIn>(); });
  }
  static void put(Shared& shared, std::shared_ptr<StandIn> stand_in) {
    shared.get_or_make<StandIn>("stand-in", [&] { return stand_in; });
  }
};

}  // namespace streamd
