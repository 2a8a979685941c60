// SPDX-License-Identifier: Apache-2.0
// NothingReader: the reader of a worker that has no part of a source: it has ended before it began.
#pragma once

#include "engine/api/source.h"

#include <cstdint>
#include <string>
#include <vector>

namespace streamd {

class NothingReader final : public Reader {
 public:
  Result<Pull> pull(const PullLimits&, RawBatch& out) override {
    out.clear();
    return Pull::end;
  }
  void partitions(std::vector<PartitionState>&) override {}
  std::string partition_name(std::uint32_t) const override { return {}; }
};

}  // namespace streamd
