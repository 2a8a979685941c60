// SPDX-License-Identifier: Apache-2.0
// Columns of a plugin's batch: what the options of type COLUMN and COLUMNS say. InputColumns is
// what the file says, bound to a schema (const, shared by all workers); AbiBatch is the batch that
// a plugin gets, made again and again by one instance.
#pragma once

#include "engine/api/diagnostics.h"
#include "engine/core/arena.h"
#include "engine/core/batch.h"
#include "operators/key_parts.h"
#include "plugin/abi.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace streamd::plugin {

class InputColumns {
 public:
  // An empty text is a column that is not set. False: something was reported.
  bool parse(const std::vector<ExprText>& texts, Diagnostics& problems);
  void fields(std::set<std::string>& into) const;
  void bind(const Schema& in, Diagnostics& problems);

  std::size_t size() const { return parts_.size(); }

 private:
  friend class AbiBatch;
  std::vector<std::optional<KeyParts>> parts_;
  std::vector<std::optional<KeyColumns::Part>> bound_;
};

class AbiBatch {
 public:
  explicit AbiBatch(const InputColumns& columns) : columns_(columns) {}

  // Records of `in`: all of them, or those with the given numbers. Values of expressions lie in
  // `arena`. Valid until the next call, as long as `in`, `records` and `keys` are.
  const sd_batch& make(const Batch& in, Arena& arena,
                       const std::vector<std::uint32_t>* entries = nullptr,
                       const std::vector<sd_view>* keys = nullptr);

 private:
  const InputColumns& columns_;
  std::vector<std::vector<Value>> evaluated_;
  std::vector<const sd_value*> pointers_;
  std::vector<Value> nothing_;  // of a field that no record has
  sd_batch batch_{};
};

}  // namespace streamd::plugin
