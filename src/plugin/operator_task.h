// SPDX-License-Identifier: Apache-2.0
// One worker's instance of a plugin's operator, and what all instances of a node share.
#pragma once

#include "engine/api/operator.h"
#include "operators/added_columns.h"
#include "plugin/component.h"
#include "plugin/guarded_memory.h"
#include "plugin/keyed_state.h"
#include "plugin/made_records.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace streamd::plugin {

// Const once bound; outlives the instances.
struct OperatorShape {
  const sd_operator* op = nullptr;
  std::shared_ptr<const Settings> settings;
  InputColumns columns;
  std::vector<Field> outputs;
  AddedColumns added;  // the outputs, when records that came leave with them
  std::optional<KeyParts> key;
  KeyColumns keys;
  Duration keep;
  std::uint64_t max_keys = 0;

  bool keyed() const { return (op->flags & SD_OPERATOR_KEYED) != 0; }
  bool makes_records() const { return (op->flags & SD_OPERATOR_RESULTS) != 0; }
};

class OperatorTask final : public Operator, public Task {
 public:
  OperatorTask(const OperatorShape& shape, const OperatorContext& context);
  ~OperatorTask() override;

  Status restore(StateReader& state) override;
  Status on_batch(const Batch& in, Emitter& out) override;
  Status on_watermark(EventTime w, Emitter& out) override;
  Status checkpoint(StateWriter& state) override;
  std::size_t live_keys() const override { return state_ ? state_->size() : 0; }

  bool stopping() override { return stop_.stop_requested(); }
  void* memory(std::size_t bytes) override;
  sd_value* column(std::uint32_t output) override;
  sd_code pass(const std::uint32_t* records, std::size_t count) override;
  sd_code drop(std::uint32_t reason, std::size_t count) override;
  sd_code reject(std::size_t record, sd_view code, sd_view reason) override;
  sd_code emit(const sd_row* rows, std::size_t count) override;
  sd_code state_get(sd_view key, sd_view* value) override;
  sd_code state_put(sd_view key, sd_view value) override;
  sd_code state_erase(sd_view key) override;
  sd_code timer_set(sd_view key, std::uint32_t timer, std::int64_t at) override;
  sd_code timer_clear(sd_view key, std::uint32_t timer) override;

 private:
  enum class Fate : std::uint8_t { open, passed, rejected };
  struct Rejected {
    std::size_t record;
    std::string code, reason;
  };

  void start(const Batch& in, Emitter& out);
  void read_keys(const Batch& in, Emitter& out);
  Status finish(const Batch& in, Emitter& out);
  Status check_columns();
  void tell_fates(const Batch& in, Emitter& out);
  void hand_on(const Batch& in, Emitter& out);
  Status fire(std::int64_t watermark);
  // The error of a call, which no operator can have for now only.
  static Status judged(const Result<sd_code>& code);
  std::uint32_t entry_of(std::size_t record) const;
  // The number that the engine counts the record by.
  std::size_t in_batch(std::size_t record) const;

  const OperatorShape& shape_;
  const std::stop_token stop_;
  const std::uint64_t seed_;
  void* self_ = nullptr;
  std::optional<Error> not_created_;

  AbiBatch abi_;
  std::optional<KeyReader> keys_;
  std::optional<KeyedState> state_;
  MadeRecords made_;

  // Of the batch in hand.
  const Batch* in_ = nullptr;  // null outside of on_batch
  const sd_batch* batch_ = nullptr;
  GuardedMemory memory_;
  std::vector<GuardedColumn> columns_;
  std::vector<std::uint32_t> entries_;  // keyed: of the records that have a key
  std::string key_bytes_;
  std::vector<sd_view> key_views_;
  std::vector<std::size_t> numbers_;  // keyed: which records of the batch these are
  std::vector<Fate> fates_;
  std::vector<Rejected> rejected_;
  std::array<std::size_t, kDropReasons> dropped_{};
  std::size_t passed_ = 0;
  bool pass_called_ = false;
};

}  // namespace streamd::plugin
