// SPDX-License-Identifier: Apache-2.0
// Answerer: what a kind of `enrich` is: keys go in, values of the added fields come out. Records,
// the cache and what becomes of a record without an answer are the operator's (enrich_operator.h).
// One per worker, called by its thread only.
#pragma once

#include "engine/core/arena.h"
#include "engine/core/batch.h"
#include "engine/core/error.h"
#include "engine/core/time.h"
#include "engine/core/value.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::enrich {

enum class Verdict : std::uint8_t {
  found,
  nothing,  // there is no entry
  refused,  // this question has no answer that can be used; others may have
  failed,   // nobody has answered
};

// A key of a batch that the cache does not hold. Each key is asked for once per batch.
struct Question {
  Question(std::string_view k, std::size_t r, std::size_t fields)
      : key(k), record(r), values(fields) {}

  const std::string key;     // as the cache knows it
  const std::size_t record;  // the first record of the batch that has it: 0 … size() - 1
  Verdict verdict = Verdict::failed;
  std::vector<Value> values;  // found: by field, without lists and maps; texts live in the arena
  std::string reason;         // refused, failed: for people, without secrets
  Arena arena{256};
};
using Questions = std::deque<Question>;

class Answerer {
 public:
  virtual ~Answerer() = default;

  // Before each batch. True: what was answered before counts no more. An error ends the run.
  virtual Result<bool> renew(Duration /*now*/) { return false; }

  // What it knows without asking anybody: `into` by field, texts in the arena or in owner().
  enum class Known : std::uint8_t { found, nothing, must_ask };
  virtual Known look(std::string_view /*key*/, Arena& /*arena*/, Value* /*into*/) {
    return Known::must_ask;
  }
  virtual std::shared_ptr<const void> owner() const { return nullptr; }

  // Gives every question its verdict; returns when all have one. An error ends the run.
  virtual Status ask(const Batch& in, Questions& questions) = 0;
};

}  // namespace streamd::enrich
