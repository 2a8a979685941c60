// SPDX-License-Identifier: Apache-2.0
// KeyedOperator<State>: an operator that keeps a State of each key (key_states.h) and lets records
// through. For each batch it calls begin(), state_of() for its records, pass() for those that go
// on, and give(). One thread.
#pragma once

#include "engine/api/operator.h"
#include "engine/core/key.h"
#include "operators/added_columns.h"
#include "operators/key_parts.h"
#include "operators/key_states.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace streamd {

template <class State>
class KeyedOperator : public Operator {
 public:
  Status restore(StateReader& state) override { return states_.restore(state); }
  Status checkpoint(StateWriter& state) override {
    states_.checkpoint(state);
    return {};
  }
  Status on_watermark(EventTime w, Emitter&) override {
    states_.advance(w);
    return {};
  }
  std::size_t live_keys() const override { return states_.size(); }

 protected:
  // keep: how long a quiet key is remembered. max_keys: of all workers.
  KeyedOperator(const KeyColumns& keys, const OperatorContext& context, Duration keep,
                std::uint64_t max_keys)
      : seed_(context.hash_seed),
        keys_(keys),
        states_(
            {context.worker, context.workers}, context.hash_seed,
            {keep.micros, window::Share{context.worker, context.workers}.part_of(max_keys), true}) {
  }

  void begin(const Batch& in) {
    rows_.clear();
    shed_ = 0;
    fetched_ = 0;
    keys_.start(in);
  }
  // The state of record i's key, to be changed. Null: the record was rejected since it has no key,
  // or counts as shed since there are max_keys others.
  State* state_of(const Batch& in, std::size_t i, Emitter& out) {
    const Value* const only = keys_.only();
    if (only == nullptr || !only[in.physical(i)].is(Kind::string))
      return read_key(in, i, out) ? change(in, i) : nullptr;
    if (i >= fetched_) fetch(in, i);
    const window::KeyRef key{only[in.physical(i)].text(), true};
    return take(states_.change(key, sought_[i - fetched_ + sought_.size()], in.time(i).micros,
                               in.floor(i).micros));
  }
  // The two steps of it, for what lies between.
  bool read_key(const Batch& in, std::size_t i, Emitter& out) {
    key_.clear();
    if (keys_.append(in.physical(i), key_)) return true;
    out.reject(in, i, keys_.fault());
    return false;
  }
  State* change(const Batch& in, std::size_t i) {
    const std::uint32_t row = in.physical(i);
    const std::uint64_t hash = key_hash(in, row, key_, seed_);
    return take(states_.change(key_, hash, in.time(i).micros, in.floor(i).micros));
  }
  void pass(std::uint32_t row) { rows_.push_back(row); }
  // Emits what passed with the fields that were made for it, and counts what was shed. `keep`
  // holds what the values of those fields point to; it may be null.
  void give(const Batch& in, const AddedColumns& added, AddedColumns::Made made,
            std::shared_ptr<const void> keep, Emitter& out) {
    if (shed_ > 0) out.drop(DropReason::shed, shed_);
    if (rows_.empty()) return;
    Batch all = added.join(in, std::move(made));
    if (keep) all.keep(std::move(keep));
    out.emit(rows_.size() == in.size() ? all : all.select(rows_));
  }

 private:
  static constexpr std::size_t kBlock = 32;

  State* take(State* state) {
    if (state == nullptr) ++shed_;
    return state;
  }
  // A block of keys that are one text, from record i on, and what their hashes lead to.
  void fetch(const Batch& in, std::size_t i) {
    fetched_ = std::min(in.size(), i + kBlock);
    sought_.clear();
    for (; i < fetched_; ++i) {
      const std::uint32_t row = in.physical(i);
      const Value& key = keys_.only()[row];
      sought_.push_back({in.key_hashes() != nullptr ? (*in.key_hashes())[row]
                         : key.is(Kind::string)     ? hash_text_key(key.text(), seed_)
                                                    : 0});
    }
    states_.fetch(sought_);
  }

  const std::uint64_t seed_;
  KeyReader keys_;
  KeyStates<State> states_;
  std::string key_;
  // The block that ends before record fetched_.
  std::vector<typename KeyStates<State>::Sought> sought_;
  std::size_t fetched_ = 0;
  std::vector<std::uint32_t> rows_;
  std::size_t shed_ = 0;
};

}  // namespace streamd
