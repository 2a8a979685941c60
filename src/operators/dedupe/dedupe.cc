// SPDX-License-Identifier: Apache-2.0
#include "engine/core/key.h"
#include "operators/builtin_operators.h"
#include "operators/dedupe/seen_rows.h"
#include "operators/dedupe/seen_table.h"
#include "operators/keyed_plan.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace streamd {
namespace dedupe {
namespace {

enum class Keep { first, after_silence };
enum class OnFull { refuse, evict };

struct Config {
  std::vector<ExprText> by;
  Duration within;
  Keep keep = Keep::first;
  std::uint64_t max_keys = 10'000'000;
  OnFull on_full = OnFull::refuse;
};

struct Shape {
  std::int64_t within = 1;
  Keep keep = Keep::first;
  OnFull on_full = OnFull::refuse;
  std::uint64_t max_keys = 1;  // of all workers
};

class Dedupe final : public Operator {
 public:
  Dedupe(std::shared_ptr<const Shape> shape, const KeyColumns& keys, const OperatorContext& context)
      : shape_(std::move(shape)),
        seed_(context.hash_seed),
        max_keys_(window::Share{context.worker, context.workers}.part_of(shape_->max_keys)),
        keys_(keys),
        seen_(shape_->within),
        rows_({context.worker, context.workers}, shape_->within) {}

  Status restore(StateReader& state) override {
    STREAMD_TRY(rows_.restore(state, [this](const SeenKey& key) {
      std::int64_t* const there = shape_->keep == Keep::first
                                      ? nullptr
                                      : seen_.find(key.group, key.key, key.time, INT64_MIN);
      if (there != nullptr)
        *there = std::max(*there, key.time);
      else
        seen_.insert(key.group, key.key, key.time);
      if (seen_.size() / 2 > max_keys_) forget_evicted();
    }));
    forget_evicted();
    return {};
  }

  Status on_batch(const Batch& in, Emitter& out) override {
    passed_.clear();
    duplicates_ = shed_ = 0;
    keys_.start(in);
    for (std::size_t begin = 0; begin < in.size(); begin += kBlock) {
      prepare(in, begin, std::min(in.size(), begin + kBlock), out);
      for (std::size_t k = 0; k < taken_; ++k)
        if (passes(block_[k])) passed_.push_back(block_[k].row);
    }
    if (duplicates_ > 0) out.drop(DropReason::duplicate, duplicates_);
    if (shed_ > 0) out.drop(DropReason::shed, shed_);
    if (passed_.size() == in.size())
      out.emit(in);
    else if (!passed_.empty())
      out.emit(in.select(passed_));
    return {};
  }

  Status on_watermark(EventTime w, Emitter&) override {
    // At the end of the input nothing expires: a later run may go on from here.
    if (w == EventTime::max()) return {};
    watermark_ = w.micros;
    seen_.advance(watermark_);
    return {};
  }

  Status checkpoint(StateWriter& state) override {
    rows_.checkpoint(watermark_, state);
    return {};
  }
  std::size_t live_keys() const override { return seen_.size(); }

 private:
  static constexpr std::size_t kBlock = 64;
  struct Arrival {
    SeenKey key;
    std::int64_t floor = 0;
    std::uint32_t row = 0;
  };

  // Fills block_ and fetches what passes() will look at.
  void prepare(const Batch& in, std::size_t begin, std::size_t end, Emitter& out) {
    taken_ = 0;
    const auto* hashes = in.key_hashes();
    const std::uint64_t second = mix64(seed_ ^ 0x9E3779B97F4A7C15ull, 0xD6E8FEB86659FD93ull);
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint32_t row = in.physical(i);
      key_.clear();
      if (!keys_.append(row, key_)) {
        out.reject(in, i, keys_.fault());
        continue;
      }
      Arrival& arrival = block_[taken_++];
      const std::uint64_t hash = hashes != nullptr ? (*hashes)[row] : hash_key(key_, seed_);
      arrival.key.group = static_cast<std::uint8_t>(key_group(hash));
      arrival.key.key = fingerprint(key_, seed_, second);
      arrival.key.time = in.time(i).micros;
      arrival.floor = in.floor(i).micros;
      arrival.row = row;
      seen_.prefetch(arrival.key.group, arrival.key.key);
    }
  }

  // The rows still hold what was evicted, as long as event time has not passed it.
  void forget_evicted() {
    if (shape_->on_full == OnFull::evict && seen_.size() > max_keys_)
      seen_.forget_oldest(seen_.size() - max_keys_);
  }

  bool passes(const Arrival& arrival) {
    const SeenKey& key = arrival.key;
    if (std::int64_t* const there = seen_.find(key.group, key.key, key.time, arrival.floor)) {
      ++duplicates_;
      if (shape_->keep == Keep::after_silence && *there < key.time) {
        *there = key.time;
        rows_.add(key);
      }
      return false;
    }
    // So late that it would be forgotten at once.
    if (seen_.expired(key.time, std::max(arrival.floor, watermark_))) return true;
    if (seen_.size() >= max_keys_ && !make_room(std::max(arrival.floor, watermark_))) {
      ++shed_;
      return false;
    }
    seen_.insert(key.group, key.key, key.time);
    rows_.add(key);
    return true;
  }

  // `reached`: event time where the record comes from. Within a batch it goes further than the
  // watermark that was told.
  bool make_room(std::int64_t reached) {
    if (reached > saturating_add(cleared_at_, shape_->within / 16)) {
      cleared_at_ = reached;
      seen_.sweep(reached);
      if (seen_.size() < max_keys_) return true;
    }
    if (shape_->on_full == OnFull::refuse) return false;
    seen_.forget_oldest(std::max<std::size_t>(seen_.size() / 16, 1));
    return true;
  }

  std::shared_ptr<const Shape> shape_;
  const std::uint64_t seed_;
  const std::uint64_t max_keys_;
  KeyReader keys_;
  SeenTable seen_;
  SeenRows rows_;
  std::int64_t watermark_ = INT64_MIN;
  std::int64_t cleared_at_ = INT64_MIN;

  // Scratch, reused from batch to batch.
  std::string key_;
  std::array<Arrival, kBlock> block_;
  std::size_t taken_ = 0;
  std::vector<std::uint32_t> passed_;
  std::size_t duplicates_ = 0, shed_ = 0;
};

class DedupePlan final : public KeyedPlan {
 public:
  DedupePlan(const Config& config, KeyParts key) : KeyedPlan(std::move(key)), config_(config) {}

  Needs needs(const Needs& wanted) const override {
    Needs needs = wanted;
    key().fields(needs.fields);
    return needs;
  }
  Ports bind(const Schema& in, Diagnostics& problems) override {
    bind_key(in, problems);
    auto shape = std::make_shared<Shape>();
    shape->within = config_.within.micros;
    shape->keep = config_.keep;
    shape->on_full = config_.on_full;
    shape->max_keys = config_.max_keys;
    shape_ = std::move(shape);
    return {in, false};
  }
  // Times are stored, so `within` may change.
  std::string state_signature() const override { return "dedupe " + key().text(); }
  std::unique_ptr<Operator> make(const OperatorContext& context) const override {
    return std::make_unique<Dedupe>(shape_, keys(), context);
  }

 private:
  Config config_;
  std::shared_ptr<const Shape> shape_;
};

Spec<Config> dedupe_spec();

}  // namespace
}  // namespace dedupe

template <>
struct EnumNames<dedupe::Keep> {
  static constexpr std::array<std::pair<dedupe::Keep, std::string_view>, 2> values = {
      {{dedupe::Keep::first, "first"}, {dedupe::Keep::after_silence, "after_silence"}}};
};
template <>
struct EnumNames<dedupe::OnFull> {
  static constexpr std::array<std::pair<dedupe::OnFull, std::string_view>, 2> values = {
      {{dedupe::OnFull::refuse, "refuse"}, {dedupe::OnFull::evict, "evict"}}};
};

namespace dedupe {
namespace {

Spec<Config> dedupe_spec() {
  using C = Config;
  return Spec<C>("dedupe")
      .summary("Passes the first record of each key and drops those that repeat it within a time.")
      .details(
          "A record repeats another one when both have the same `by` values and their event times "
          "are less than `within` apart, whichever of them came first; it is counted as "
          "`duplicate`. A repetition after that passes and is the first again. Records out of "
          "order are compared with every passed record of their key that is near them in time.\n\n"
          "A key is forgotten when the watermark is `within` past its record. A record that is so "
          "late that what it might repeat is forgotten passes: dedupe never drops a record for "
          "being late.\n\n"
          "A missing field is no value: the record becomes a dead letter with code "
          "`missing-field` (null is a value). One for which an expression fails becomes a dead "
          "letter with code `expression`.\n\n"
          "Keys, however long, are kept as fingerprints of 128 bits (SipHash with the seed of the "
          "state directory), 32 to 48 bytes each in memory. Two keys with one fingerprint would "
          "let one record pass for another: by chance that happens once in 7·10²⁴ runs of 10 "
          "million keys, and nobody who does not have the seed can bring it about.")
      .promise("exact, also after a crash")
      .field(&C::by, {.name = "by",
                      .help = "What makes two records the same: fields, or CEL expressions.",
                      .required = true,
                      .examples = {"[ip_str, port, transport, data]", "[\"host.lowerAscii()\"]"}})
      .field(&C::within, {.name = "within",
                          .help = "How far apart in event time records may be and still be the "
                                  "same.",
                          .required = true,
                          .examples = {"1h"}})
      .field(&C::keep, {.name = "keep",
                        .help = "`first`: the time counts from the record that passed. "
                                "`after_silence`: from the last repetition, so that only a key "
                                "that was quiet for so long passes again."})
      .field(&C::max_keys,
             {.name = "max_keys", .help = "Keys held at once, over all workers.", .advanced = true})
      .field(&C::on_full,
             {.name = "on_full",
              .help = "With max_keys held: refuse records of new keys, counted as shed, or evict "
                      "the oldest sixteenth of the keys, whose repetitions may pass then. A "
                      "restart may remember some of them again, within max_keys.",
              .advanced = true})
      .rule("by must name at least one field", [](const C& c) { return !c.by.empty(); })
      .rule("within must be longer than 0", [](const C& c) { return c.within.micros > 0; })
      .rule("max_keys must be at least 1", [](const C& c) { return c.max_keys > 0; })
      .example("The same banner of the same service within a day",
               "by: [ip_str, port, transport, data]\nwithin: 1d\n")
      .example("One alert per finding", "by: [ip_str, finding]\nwithin: 1d\nkeep: after_silence\n");
}

}  // namespace
}  // namespace dedupe

void add_dedupe_operator(Registry& registry) {
  registry.add_operator(dedupe::dedupe_spec(),
                        [](const dedupe::Config& config, const ConfigNode&,
                           Diagnostics& problems) -> std::unique_ptr<OperatorPlan> {
                          auto key = KeyParts::parse(config.by, problems);
                          return std::make_unique<dedupe::DedupePlan>(config, std::move(key));
                        });
}

}  // namespace streamd
