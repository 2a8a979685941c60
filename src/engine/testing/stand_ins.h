// SPDX-License-Identifier: Apache-2.0
// What a test file puts in the place of indicator lists, of services that operators and sources
// ask, and of files that enrich reads.
#pragma once

#include "engine/api/list.h"
#include "engine/api/stand_in.h"
#include "engine/testing/test_file.h"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace streamd::testing {

std::shared_ptr<const IndicatorList> build_list(const EntryList& entries, std::uint64_t seed);

// What a list has at a restart, too: who changes it changes `entries`, and swaps the slot's
// content.
std::unique_ptr<ListPlan> given_list(std::shared_ptr<const EntryList> entries,
                                     IndicatorFields fields);

// The answers of all nodes that ask. Outlives runs: what was used up stays so. Thread-safe.
class Answers {
 public:
  // From now on these are the node's, and connections that it has are closed. They are kept by
  // pointer. `place`: of the node's name in the test file.
  void set(const std::string& node, Place place, const AnswerList& answers);
  // From now on sources come to their end.
  void end();
  // What goes into Shared; keeps this object alive.
  static std::shared_ptr<StandIn> stand_in(std::shared_ptr<Answers> answers);

  // Questions that had no answer since the last call.
  struct Unanswered {
    std::string node, question;  // "GET /hosts/192.0.2.9"
    Place place;                 // of the node's name below answers; line 0: it has none
  };
  std::vector<Unanswered> take_unanswered();
  // Those that were given, over all steps.
  std::set<const ServiceAnswer*> used() const;
  // Until when a source asks nothing, by its name (monotonic).
  std::map<std::string, Duration> resting() const;

 private:
  struct Left {
    const ServiceAnswer* answer;
    std::uint64_t used = 0;
  };
  struct Node {
    std::vector<Left> answers;
    Place place{};
    std::uint64_t set = 0;  // how often
  };
  static StandIn::Answer ask(const std::shared_ptr<Answers>& self,
                             const StandIn::Question& question);
  std::optional<std::string> file_of(const std::string& node);
  bool closed(const std::string& node, std::uint64_t set) const;

  mutable std::mutex mutex_;
  std::map<std::string, Node> nodes_;
  std::vector<Unanswered> unanswered_;
  std::set<const ServiceAnswer*> used_;
  std::map<std::string, Duration> resting_;
  bool ended_ = false;
};

}  // namespace streamd::testing
