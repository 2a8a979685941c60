// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/reject.h"

namespace streamd::expr {

// Failures are named by physical row; reject() wants the record's index in the selection.
void reject_failed(const Batch& in, const std::vector<Program::Failure>& failed, Emitter& out) {
  std::size_t i = 0;
  for (const auto& failure : failed) {
    while (in.physical(i) != failure.row) ++i;
    out.reject(in, i, {"expression", failure.reason});
  }
}

}  // namespace streamd::expr
