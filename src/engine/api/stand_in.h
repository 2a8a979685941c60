// SPDX-License-Identifier: Apache-2.0
// StandIn: who answers in the place of the world outside while a pipeline is tested. It lies in
// Shared; in a real run it is not there. Operators and sources that ask files or services ask it
// instead, one question at a time, on the worker's thread and without waiting, so that the same
// test gives the same answers.
#pragma once

#include "engine/api/shared.h"
#include "engine/core/time.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace streamd {

// Made before the run; all functions are set. Any thread may call them, one at a time.
struct StandIn {
  struct Question {
    std::string node;
    std::string method = "GET";
    std::string target = {};  // path and query as they are sent
  };
  struct Answer {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string body = {};
    std::optional<Duration> retry_after = {};
    bool reachable = true;  // false: no answer at all, as when nothing listens there
    bool known = true;      // false: the test has no answer to this; it is told about
    // Whether the far side has closed the connection by now, where the answer is a stream that goes
    // on; null: it never does.
    std::function<bool()> closed = {};
  };
  // What a service says.
  std::function<Answer(const Question& question)> service;
  // What a file of node's holds: JSON objects, one a line; the member kKey is what each is found
  // under. nullopt: the file itself is read.
  std::function<std::optional<std::string>(const std::string& node)> file;
  static constexpr const char* kKey = "stand-in key";
  // Whether sources come to their end now: they hand out what they have and ask nothing more.
  std::function<bool()> ended;
  // Tells that a source asks nothing before `at` (monotonic), whatever it is pulled for.
  std::function<void(const std::string& node, Duration at)> rests;

  // Null in a real run, or where components share nothing. Not from within get_or_make().
  static std::shared_ptr<StandIn> of(Shared* shared) {
    if (shared == nullptr) return nullptr;
    return shared->get_or_make<StandIn>("stand-in", [] { return std::shared_ptr<StandIn>(); });
  }
  static void put(Shared& shared, std::shared_ptr<StandIn> stand_in) {
    shared.get_or_make<StandIn>("stand-in", [&] { return stand_in; });
  }
};

// What a SourcePlan derives from, beside SourcePlan, whose source asks the StandIn if there is one.
class AsksStandIn {
 public:
  virtual ~AsksStandIn() = default;
};

}  // namespace streamd
