// SPDX-License-Identifier: Apache-2.0
// Aggregates: what `compute` keeps per key. Every function is held in a few 8-byte words in two
// forms: the part of one pane (or session), to which records are added, and the running value of a
// window, which parts enter and leave again. Both forms count exactly, so that entering and leaving
// in any order gives the value of the parts that are inside.
//
// Words start zeroed; `free_*` must be called before they are forgotten. Null or missing inputs are
// skipped by all functions. Words belong to the Aggregates that made them: its DistinctValues knows
// which values they count. A copy has one of its own, which knows none yet; so has each worker. One
// thread.
#pragma once

#include "engine/core/arena.h"
#include "engine/core/value.h"
#include "operators/window/distinct_values.h"
#include "operators/window/exact_sum.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd::window {

enum class Function : std::uint8_t {
  count,  // records; with an input: records for which it is true
  sum,    // int when every input was, an error beyond int64; 0 of nothing
  avg,
  min,
  max,
  distinct,
  first,  // by event time, then arrival
  last,
  top,       // JSON [{"value": …, "count": …}, …], most frequent first, then smallest value
  quantile,  // element floor(q * (n - 1)) of the sorted inputs, within 1 %
  rate,      // records per second of window
  share,     // of the records, the part for which the input is true: 0 to 1
  entropy,   // of the inputs' values, in bits: 0 when all are the same, log2(n) of n different ones
};

// Those that count how often each value came (counted.h).
constexpr bool is_counted(Function f) {
  return f == Function::distinct || f == Function::top || f == Function::entropy;
}

struct Compute {
  std::string name;
  Function function = Function::count;
  int input = -1;              // index into the inputs of a record; -1: none
  double argument = 0;         // k of top, q of quantile
  bool always_double = false;  // sum of an expression that is known to be a double
  // distinct, top, entropy: an earlier compute that counts the same values; -1: none. Both read
  // what is counted once. On disk each has it.
  int counts_with = -1;
};

// Words of a sum or average, behind those of the sum itself.
inline constexpr std::size_t kSumInputs = ExactSum::kWords;       // inputs so far
inline constexpr std::size_t kSumDoubles = ExactSum::kWords + 1;  // how many were doubles

class Aggregates {
 public:
  // values: null for what never counts values of records.
  explicit Aggregates(std::vector<Compute> computes,
                      std::shared_ptr<DistinctValues> values = nullptr);
  // Another one of the same kind.
  Aggregates with_values(std::shared_ptr<DistinctValues> values) const {
    return Aggregates(computes_, std::move(values));
  }
  Aggregates(const Aggregates& other)
      : Aggregates(other.with_values(std::make_shared<DistinctValues>(other.values_->seed()))) {}
  Aggregates(Aggregates&&) = default;
  Aggregates& operator=(Aggregates&&) = default;

  std::size_t words() const { return words_; }
  std::size_t size() const { return computes_.size(); }
  const std::vector<Compute>& computes() const { return computes_; }

  // nullptr: `value` can be an input of `function`; otherwise what it should have been.
  static const char* refuse(Function function, const Value& value);

  // Inputs whose values are counted. Their numbers (column_numbers.h), side by side in this order,
  // may be handed to add().
  const std::vector<std::uint32_t>& counted_inputs() const { return counted_inputs_; }

  // A record will be added to the part soon. counted: see counted_inputs().
  void fetch(const std::uint64_t* part, const std::uint32_t* counted) const;
  // One record into a part. `inputs` were accepted by refuse(). `arrival` orders equal times.
  // counted: see counted_inputs(), or null.
  void add(std::uint64_t* part, const Value* inputs, std::int64_t time, std::uint64_t arrival,
           const std::uint32_t* counted = nullptr) const {
    if (only_sum_ && inputs[0].is(Kind::float64)) {
      ExactSum::add_double(part, inputs[0].as_double());
      ++part[kSumInputs];
      ++part[kSumDoubles];
      return;
    }
    add_each<false>(part, nullptr, inputs, time, arrival, counted);
  }
  // The same into a part that has entered `running`, and into that. The part of one key may hold
  // very many values, so it does not leave and enter anew for a record.
  void add_entered(std::uint64_t* part, std::uint64_t* running, const Value* inputs,
                   std::int64_t time, std::uint64_t arrival, const std::uint32_t* counted) const;
  void merge(std::uint64_t* part, const std::uint64_t* other) const;
  void enter(std::uint64_t* running, const std::uint64_t* part) const;
  void leave(std::uint64_t* running, const std::uint64_t* part) const;

  // The value of one function. `count`: records in the window; `span`: its length in microseconds.
  // Texts are copied into the arena. Kind::error, with a text that lives for ever, when it is out
  // of range.
  Value part_result(std::size_t compute, const std::uint64_t* part, std::uint64_t count,
                    std::int64_t span, Arena& arena) const;
  Value running_result(std::size_t compute, const std::uint64_t* running, std::uint64_t count,
                       std::int64_t span, Arena& arena) const;

  void encode(const std::uint64_t* part, std::string& out) const;
  // `part` must be zero. On false it holds nothing that needs freeing. `arrival` is raised to the
  // largest arrival number seen.
  bool decode(std::string_view& in, std::uint64_t* part, std::uint64_t& arrival) const;

  void free_part(std::uint64_t* part) const { free_words(part, false); }
  void free_running(std::uint64_t* running) const { free_words(running, true); }

 private:
  // What a record does: to which words, with which of its inputs.
  struct Step {
    Function function;
    std::uint32_t input;
    std::uint32_t offset;
    std::uint32_t counted;  // its place in counted_inputs()
  };

  // kEntered: into `running` as well.
  template <bool kEntered>
  void add_each(std::uint64_t* part, std::uint64_t* running, const Value* inputs, std::int64_t time,
                std::uint64_t arrival, const std::uint32_t* counted) const;
  void free_words(std::uint64_t* words, bool running) const;
  std::uint32_t place_of(const Compute& compute);
  // Its words are those of another compute.
  bool is_shared(std::size_t compute) const { return computes_[compute].counts_with >= 0; }

  std::vector<Compute> computes_;
  std::vector<std::size_t> offsets_;
  std::vector<Step> steps_;
  std::size_t words_ = 0;
  bool only_sum_ = false;  // one sum or average, of the only input
  std::vector<std::uint32_t> counted_inputs_;
  std::shared_ptr<DistinctValues> values_;
};

}  // namespace streamd::window
