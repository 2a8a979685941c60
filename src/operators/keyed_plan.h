// SPDX-License-Identifier: Apache-2.0
// KeyedPlan: what the plans of operators have in common that let records through and remember
// something of each key of a `by`. A plan calls bind_key() from bind() and gives keys() to its
// operators; one that needs no state for some settings says so by stateful().
#pragma once

#include "engine/api/operator.h"
#include "operators/key_parts.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace streamd {

class KeyedPlan : public OperatorPlan {
 public:
  std::vector<std::string> key_fields() const override {
    return stateful() ? key_.key_fields() : std::vector<std::string>{};
  }
  bool hashes_keys() const override { return !columns_.plain(); }
  void hash_keys(const Batch& in, std::uint64_t seed,
                 std::vector<std::uint64_t>& by_row) const override {
    columns_.hash(in, seed, by_row);
  }
  bool stateful() const override { return true; }
  bool passes_records() const override { return true; }

 protected:
  explicit KeyedPlan(KeyParts key) : key_(std::move(key)) {}
  void bind_key(const Schema& in, Diagnostics& problems) { columns_ = key_.bind(in, problems); }
  const KeyParts& key() const { return key_; }
  const KeyColumns& keys() const { return columns_; }

 private:
  KeyParts key_;
  KeyColumns columns_;
};

}  // namespace streamd
