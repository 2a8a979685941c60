// SPDX-License-Identifier: Apache-2.0
// Script: what a source of a pipeline under test hands out, record by record, as the case gives
// it. It outlives runs: after a restart it begins at the committed positions. One thread.
#pragma once

#include "engine/api/source.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::testing {

class Script {
 public:
  struct Record {
    std::string data;
    std::size_t partition;
    std::uint64_t number;  // in its partition, from 0
    EventTime arrival;
  };

  // The next pull hands it out.
  void add(std::string data, const std::string& partition, EventTime arrival);
  void end() { ended_ = true; }

  const std::vector<Record>& records() const { return records_; }
  const std::vector<std::string>& partitions() const { return partitions_; }
  std::uint64_t size_of(std::size_t partition) const { return sizes_[partition]; }
  bool ended() const { return ended_; }

 private:
  std::vector<Record> records_;  // in the order in which they came
  std::vector<std::string> partitions_;
  std::vector<std::uint64_t> sizes_;
  bool ended_ = false;
};

// Takes the place of the pipeline's own source; decoding and event time are the engine's, with the
// settings of that one.
std::unique_ptr<SourcePlan> scripted_source(std::shared_ptr<Script> script);

}  // namespace streamd::testing
