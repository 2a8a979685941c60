// SPDX-License-Identifier: Apache-2.0
#include "engine/io/delivery/delivery_sink.h"

#include "engine/core/hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace streamd {

const Spec<delivery::OutboxConfig>& NestedSpec<delivery::OutboxConfig>::spec() {
  using C = delivery::OutboxConfig;
  static const Spec<C> spec =
      Spec<C>("outbox")
          .field(&C::size, {.name = "size",
                            .help = "How much may wait on disk, in the state directory. A sink "
                                    "that sends when a checkpoint is done sends sooner when this "
                                    "is full of what came since the last one; what it held may "
                                    "then come twice after a crash.",
                            .examples = {"10GiB"}})
          .field(
              &C::when_full,
              {.name = "when_full",
               .help = "wait: the pipeline stops reading until there is room. drop: records that "
                       "do not fit are dropped and counted as shed."})
          .rule("size is at least 1MiB", [](const C& c) { return c.size.bytes >= (1u << 20); });
  return spec;
}

const Spec<delivery::BatchConfig>& NestedSpec<delivery::BatchConfig>::spec() {
  using C = delivery::BatchConfig;
  static const Spec<C> spec =
      Spec<C>("batch")
          .field(&C::records, {.name = "records", .help = "At most so many in a request."})
          .field(&C::bytes, {.name = "bytes",
                             .help = "At most so many bytes in a request, unless of one record."})
          .field(&C::linger,
                 {.name = "linger", .help = "How long a record waits for others to go with it."})
          .rule("records is at least 1", [](const C& c) { return c.records.value_or(1) >= 1; })
          .rule("bytes is at least 1", [](const C& c) { return !c.bytes || c.bytes->bytes >= 1; })
          .rule("linger is not negative",
                [](const C& c) { return !c.linger || c.linger->micros >= 0; });
  return spec;
}

const Spec<delivery::RetryConfig>& NestedSpec<delivery::RetryConfig>::spec() {
  using C = delivery::RetryConfig;
  static const Spec<C> spec =
      Spec<C>("retry")
          .field(&C::first, {.name = "first", .help = "The first pause; it doubles each time."})
          .field(&C::longest, {.name = "longest",
                               .help = "No pause of its own is longer; the far side may ask for a "
                                       "longer one (Retry-After)."})
          .rule("first is above 0s", [](const C& c) { return c.first.micros > 0; })
          .rule("longest is not below first", [](const C& c) { return c.longest >= c.first; });
  return spec;
}

namespace delivery {
namespace {

class DeliverySink final : public Sink {
 public:
  DeliverySink(SinkContext context, WhenFull when_full, std::unique_ptr<Destination> destination)
      : context_(std::move(context)), when_full_(when_full), destination_(std::move(destination)) {}

  Status open(DeliveryOptions options) {
    options.outbox.folder = context_.state_dir + "/outbox/" + context_.node;
    auto outbox = Outbox::open(options.outbox, context_.restored);
    if (!outbox) return tl::unexpected(std::move(outbox).error());
    if (const auto waiting = (*outbox)->end() - (*outbox)->begin())
      context_.log(0, fmt::format("records of an earlier run wait in the outbox: {}",
                                  readable_size(waiting)));
    delivery_ = std::make_unique<Delivery>(std::move(*outbox), *destination_, std::move(options),
                                           *context_.clock, context_.log);
    delivery_->start();
    return {};
  }

  // All or nothing: after an error the engine brings the batch again, so faults are told last.
  Status write(const Batch& batch, Emitter& out) override {
    frames_.clear();
    faults_.clear();
    const std::uint64_t begin = delivery_->end();
    std::size_t items = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      Item item;
      item.node = batch.origin().node;
      item.partition = batch.origin().partition;
      item.position = batch.position(i);
      item.time = batch.time(i);
      if (const auto fault = destination_->encode(batch, i, item)) {
        faults_.push_back({i, std::string(fault->code), std::string(fault->reason)});
        continue;
      }
      append_frame(item, begin + frames_.size(), frames_);
      ++items;
    }
    const auto went_in = delivery_->append(frames_);
    if (!went_in) return tl::unexpected(went_in.error());
    // That the far side is away was told already, and that it is slow is no news.
    if (!*went_in && when_full_ == WhenFull::wait) return fail_for_now("");
    if (!*went_in) out.drop(DropReason::shed, items);
    for (const auto& fault : faults_) out.reject(batch, fault.row, {fault.code, fault.reason});
    return {};
  }

  Status tick(Emitter& out) override {
    for (auto& refused : delivery_->take_refused()) {
      out.reject(row_of(refused.item), 0, {refused.code, refused.reason, refused.attempts});
      buried_.push_back(refused.item.begin);
    }
    return delivery_->health();
  }

  Status barrier(Epoch epoch) override {
    open_epochs_[epoch] = {delivery_->state(), delivery_->end(), std::exchange(buried_, {})};
    return {};
  }
  Result<bool> prepared(Epoch) override {
    STREAMD_TRY(delivery_->sync());
    return true;
  }
  std::string state(Epoch epoch) override { return open_epochs_.at(epoch).state; }
  void committed(Epoch epoch) override {
    while (!open_epochs_.empty() && open_epochs_.begin()->first <= epoch) {
      const OpenEpoch& done = open_epochs_.begin()->second;
      delivery_->forget(done.buried);
      delivery_->committed(done.end);
      open_epochs_.erase(open_epochs_.begin());
    }
  }
  Result<bool> drained() override {
    STREAMD_TRY(delivery_->health());
    return delivery_->drained();
  }
  void stopping() noexcept override { delivery_->stop(); }
  void close() noexcept override {
    delivery_->close();
    if (const auto waiting = delivery_->waiting())
      context_.log(0, fmt::format("{} wait in the outbox and are sent after the next start",
                                  readable_size(waiting)));
  }

 private:
  struct RowFault {
    std::size_t row;
    std::string code, reason;
  };
  struct OpenEpoch {
    std::string state;
    std::uint64_t end = 0;
    std::vector<std::uint64_t> buried;  // places of items whose dead letters are in this epoch
  };

  // The record as it was, as far as a dead letter shows it.
  static Batch row_of(const Item& item) {
    auto rows = std::make_shared<Rows>();
    rows->time.push_back(item.time);
    rows->floor.push_back(EventTime::min());
    rows->position.push_back(item.position);
    rows->raw.push_back(item.raw.empty() ? item.document : item.raw);
    Batch batch(std::move(rows), {},
                std::make_shared<const Origin>(
                    Origin{std::string(item.node), std::string(item.partition)}));
    batch.keep(item.chunk);
    return batch;
  }

  SinkContext context_;
  const WhenFull when_full_;
  std::unique_ptr<Destination> destination_;
  std::unique_ptr<Delivery> delivery_;  // after the destination: its threads use it
  std::string frames_;
  std::vector<RowFault> faults_;
  std::vector<std::uint64_t> buried_;  // since the last barrier
  std::map<Epoch, OpenEpoch> open_epochs_;
};

}  // namespace

Result<std::unique_ptr<Sink>> open_sink(SinkContext context, const DeliveryConfig& config,
                                        DeliveryOptions options,
                                        std::unique_ptr<Destination> destination) {
  options.outbox.limit = config.outbox.size.bytes;
  options.outbox.segment =
      std::min<std::uint64_t>(options.outbox.segment, options.outbox.limit / 4);
  if (config.batch.records) options.batch_records = *config.batch.records;
  if (config.batch.bytes) options.batch_bytes = config.batch.bytes->bytes;
  if (config.batch.linger) options.linger = *config.batch.linger;
  options.retry.first = config.retry.first;
  options.retry.longest = config.retry.longest;
  auto sink = std::make_unique<DeliverySink>(std::move(context), config.outbox.when_full,
                                             std::move(destination));
  STREAMD_TRY(sink->open(std::move(options)));
  return sink;
}

std::string_view RecordIds::of(const Batch& batch, std::size_t i) {
  if (batch.origin_ptr() != last_) {
    last_ = batch.origin_ptr();
    const std::uint64_t who =
        hash_bytes(fmt::format("{}\n{}\n{}", pipeline_, last_->node, last_->partition), 0);
    text_ = fmt::format("{:016x}", who);
  }
  text_.resize(16);
  fmt::format_to(std::back_inserter(text_), "{:016x}", batch.position(i));
  return text_;
}

}  // namespace delivery
}  // namespace streamd
