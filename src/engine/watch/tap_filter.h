// SPDX-License-Identifier: Apache-2.0
// TapFilter: the condition of a tap, bound to what passes there. Fields that the pipeline itself
// does not use are read from the records' own bytes. One thread.
#pragma once

#include "engine/api/diagnostics.h"
#include "engine/codec/decode.h"
#include "engine/expr/expression.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace streamd {

class TapFilter {
 public:
  // nullopt: a problem was reported, at line 1 of file 0.
  static std::optional<TapFilter> make(const std::string& condition, const Schema& schema,
                                       Diagnostics& problems);
  // Physical rows of `in` for which the condition is true, ascending.
  void select(const Batch& in, std::vector<std::uint32_t>& kept);
  // Records without an answer, such as those that lack a field, and why the first had none.
  std::uint64_t failed() const { return failed_; }
  const std::string& first_failure() const { return first_failure_; }

 private:
  // With columns for the fields that only the raw bytes hold.
  Batch with_raw_fields(const Batch& in);

  expr::Program program_;
  std::unique_ptr<Decoder> decoder_;  // null: all fields are columns
  std::size_t raw_fields_ = 0;
  Decoded decoded_;
  std::vector<expr::Program::Failure> failures_;
  std::uint64_t failed_ = 0;
  std::string first_failure_;
};

}  // namespace streamd
