// SPDX-License-Identifier: Apache-2.0
// WindowOperator: the running window node on one worker. Decides which records enter and what their
// keys and inputs are; PaneWindows or SessionWindows keeps them.
#pragma once

#include "engine/api/operator.h"
#include "engine/core/arena.h"
#include "engine/core/fetch_line.h"
#include "engine/core/key.h"
#include "engine/expr/expression.h"
#include "operators/window/column_numbers.h"
#include "operators/window/combiner.h"
#include "operators/window/pane_windows.h"
#include "operators/window/relay.h"
#include "operators/window/rules.h"
#include "operators/window/session_windows.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace streamd::window {

// Where a record's key and inputs come from. A plain field is read from its column, so that a
// missing one is skipped; an expression that reads a missing field fails.
struct Intake {
  struct Input {
    Function function = Function::count;
    std::string name;                      // of the computed value
    std::optional<std::size_t> column;     // a plain field
    std::optional<expr::Program> program;  // neither: a field that no record has
    bool inside = false;  // the program only looks into a column: it fails where nothing is there
  };
  std::optional<expr::Program> where;
  std::vector<std::string> by_names;
  std::vector<std::optional<std::size_t>> by;  // nullopt: a field that no record has
  std::vector<Input> inputs;
  std::optional<std::size_t> lateness;  // the column of that name; nullopt: late rows get one more
};

class WindowOperator final : public Operator {
 public:
  // What the plan shares with all workers.
  struct Shared {
    Rules rules;
    Intake intake;
  };
  WindowOperator(std::shared_ptr<const Shared> shared, const OperatorContext& context);

  Status restore(StateReader& state) override;
  Status on_batch(const Batch& in, Emitter& out) override;
  bool combines() const override { return filters_before_ || relay_.has_value(); }
  Batch combine(const Batch& in, EventTime least, Summaries* sums, Emitter& out) override;
  Status on_summary(const Summary& summary, Emitter& out) override;
  Status on_watermark(EventTime w, Emitter& out) override;
  Status checkpoint(StateWriter& state) override;
  std::size_t live_keys() const override;

 private:
  static constexpr std::size_t kBlock = 64;  // see PaneWindows::accept
  static_assert(kBlock <= Relay::kMostAtOnce);

  template <class Windows>
  void take(Windows& windows, const Batch& in, Emitter& out);
  template <class Windows>
  Status restore_into(Windows& windows, StateReader& state);
  // Rows of `in` that pass `where`; the rest is dropped or rejected.
  Batch admit(const Batch& in, Emitter& out);
  void evaluate_inputs(const Batch& in);
  // Fills block_ with the selected rows [begin, end); rejects those that cannot be used.
  void prepare(const Batch& in, std::size_t begin, std::size_t end, Emitter& out);
  std::size_t prepare_texts(const Batch& in, std::size_t begin, std::size_t end);
  // Of a key that is a text. hashes: what another worker has found already, by row, or null.
  std::uint64_t hash_of(std::string_view key, const std::uint64_t* hashes,
                        std::uint32_t row) const {
    if (hashes == nullptr) return hash_text_key(key, seed_);
    fetch_line(key.data());  // perhaps it was read on another core
    return hashes[row];
  }
  void settle();
  // Numbers what the block's records count.
  void look_up(std::span<Arrival> block);
  // Says why and returns true when a record cannot be used.
  bool reject(const Batch& in, std::size_t i, Emitter& out);
  // Whether all inputs of a batch can be used, as nearly always: then reject() need not look.
  bool all_usable(const Batch& in) const;
  void emit_late(const Batch& in, Emitter& out);
  void take_sums(const Sums& sums, Emitter& out);
  void take_relayed(const Relayed& relayed, Emitter& out);
  void add_up(const Batch& work, std::int64_t closed, Summaries& sums, Emitter& out);
  void relay(const Batch& work, std::int64_t closed, Summaries& sums, Emitter& out);
  void accept_relayed(std::span<Arrival> block, Emitter& out);

  struct Counted {
    std::uint32_t input;
    std::shared_ptr<ColumnNumbers> numbers;  // of the batch; of an expression, this node's own
  };

  std::shared_ptr<const Shared> shared_;
  const std::shared_ptr<RecentColumns> recent_;
  const Rules rules_;
  const std::uint64_t seed_;
  std::optional<PaneWindows> panes_;
  std::optional<SessionWindows> sessions_;
  // With several workers: `where` is asked before records are sent. Of what suits, sums travel, or
  // what the window needs of each record.
  bool filters_before_ = false;
  std::optional<Combiner> combiner_;
  std::optional<Relay> relay_;  // whenever there is a combiner, and for other windows
  std::uint64_t arrivals_ = 0;

  // Scratch, reused from batch to batch.
  Arena arena_;
  std::vector<std::uint32_t> kept_;
  std::vector<expr::Program::Failure> failed_;
  std::vector<std::vector<Value>> evaluated_;
  std::vector<const Value*> columns_;  // per input, by physical row; null: always missing
  bool usable_ = false;                // all_usable()
  std::vector<const Value*> by_;       // per key field, the same
  // One block of records.
  std::array<Arrival, kBlock> block_;
  std::size_t taken_ = 0;  // of block_
  std::string keys_;       // those that had to be encoded
  std::vector<std::size_t> key_ends_;
  std::vector<Value> values_;  // of the block: inputs, when a record has several
  std::vector<Counted> counted_;
  std::vector<std::uint32_t> numbers_;                        // of the block
  std::vector<std::pair<std::uint32_t, std::int64_t>> late_;  // physical row, micros late
  std::vector<std::uint32_t> left_;                           // by combine(): physical rows
};

}  // namespace streamd::window
