// SPDX-License-Identifier: Apache-2.0
// What a test file puts in the place of indicator lists, of services and of files that enrich asks.
#pragma once

#include "engine/api/list.h"
#include "engine/api/stand_in.h"
#include "engine/testing/test_file.h"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace streamd::testing {

std::shared_ptr<const IndicatorList> build_list(const EntryList& entries, std::uint64_t seed);

// What a list has at a restart, too: who changes it changes `entries`, and swaps the slot's
// content.
std::unique_ptr<ListPlan> given_list(std::shared_ptr<const EntryList> entries,
                                     IndicatorFields fields);

// The answers of all enrich nodes. Thread-safe.
class Answers {
 public:
  // From now on these are the node's.
  void set(const std::string& node, const std::vector<ServiceAnswer>& answers);
  // What goes into Shared; keeps this object alive.
  static std::shared_ptr<StandIn> stand_in(std::shared_ptr<Answers> answers);
  // Questions that had no answer since the last call: "enrich "known" asks GET /hosts/192.0.2.9".
  std::vector<std::string> take_unanswered();

 private:
  struct Left {
    ServiceAnswer answer;
    std::uint64_t used = 0;
  };
  StandIn::Answer ask(const std::string& node, const std::string& target);
  std::optional<std::string> file_of(const std::string& node);

  std::mutex mutex_;
  std::map<std::string, std::vector<Left>> answers_;
  std::vector<std::string> unanswered_;
};

}  // namespace streamd::testing
