// SPDX-License-Identifier: Apache-2.0
// The operator behind every kind of enrich: keys of a batch, the cache, one question for each key
// that it does not hold, and what becomes of the records. Private to the folder.
//
// A batch waits for its answers and leaves whole and in order; nothing that was asked lives beyond
// the call. So there is no state: positions and checkpoints know nothing of questions, and what was
// under way at a crash is asked again.
#pragma once

#include "engine/api/operator.h"
#include "engine/lookup/lookup_cache.h"
#include "enrich/answerer.h"
#include "enrich/config.h"
#include "enrich/record_key.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace streamd::enrich {

// Const, shared by workers; must outlive the operators.
struct Shape {
  KeyColumns key;
  std::vector<std::size_t> to;  // by field: its column in the output
  std::size_t columns = 0;      // of the output
  std::string what;             // for dead letters: the field, or "url"
  OnMissing on_missing = OnMissing::keep;
  OnError on_error = OnError::dead_letter;
  std::uint32_t cache = 0;  // keys; 0: nothing is remembered
  Duration ttl, negative_ttl;
};

std::unique_ptr<Operator> make_enrich(const Shape& shape, const OperatorContext& context,
                                      std::unique_ptr<Answerer> answerer);

}  // namespace streamd::enrich
