// SPDX-License-Identifier: Apache-2.0
// Exchange: which worker gets which records of a batch. Records of one key always meet on the
// worker that owns the key's group. One per worker, that worker's thread only.
#pragma once

#include "engine/api/operator.h"
#include "engine/core/batch.h"
#include "engine/core/hash.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace streamd {

class Exchange {
 public:
  explicit Exchange(unsigned workers);
  // What each worker gets of the selected rows, with their key hashes. Nodes with the same key
  // often get the same batch, so the cuts of the last one are kept. Good until the next call.
  const std::vector<Batch>& cut(const Batch& batch, const std::vector<std::size_t>& key_columns,
                                std::uint64_t seed);
  // The same by what the operator says of its keys.
  const std::vector<Batch>& cut(const Batch& batch, const OperatorPlan& keys, std::uint64_t seed);

 private:
  using Parts = std::vector<Batch>;  // by worker
  struct Cut {
    std::vector<std::size_t> key_columns;
    Parts parts;
  };
  Parts part(const Batch& batch, std::shared_ptr<const std::vector<std::uint64_t>> hashes) const;
  bool is_last(const Batch& batch) const;

  const unsigned workers_;
  std::array<unsigned, kKeyGroups> owner_;  // by key group
  Batch last_;
  std::vector<Cut> cuts_;  // of last_
  Parts parts_;            // by what an operator said
  std::string key_;
};

}  // namespace streamd
