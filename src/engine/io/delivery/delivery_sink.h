// SPDX-License-Identifier: Apache-2.0
// The Sink over the delivery mechanism, and the options that all such sinks have in common.
//
// A protocol's own file holds its Config (deriving from DeliveryConfig), a Destination, and:
//
//   struct Config : delivery::DeliveryConfig { … };
//   Spec<Config> spec("elasticsearch"); … delivery::add_fields(spec);
//   open(): return delivery::open_sink(std::move(context), config, defaults,
//   std::move(destination));
#pragma once

#include "engine/api/sink.h"
#include "engine/api/spec.h"
#include "engine/io/delivery/delivery.h"

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace streamd {
namespace delivery {

enum class WhenFull { wait, drop };

struct OutboxConfig {
  ByteSize size{std::uint64_t{1} << 30};
  WhenFull when_full = WhenFull::wait;
};

// Without a value: what suits the service.
struct BatchConfig {
  std::optional<std::uint64_t> records;
  std::optional<ByteSize> bytes;
  std::optional<Duration> linger;
};

struct RetryConfig {
  Duration first = Duration::from_millis(500);
  Duration longest = Duration::from_seconds(60);
};

struct DeliveryConfig {
  OutboxConfig outbox;
  BatchConfig batch;
  RetryConfig retry;
};

}  // namespace delivery

template <>
struct EnumNames<delivery::WhenFull> {
  static constexpr std::array<std::pair<delivery::WhenFull, std::string_view>, 2> values = {
      {{delivery::WhenFull::wait, "wait"}, {delivery::WhenFull::drop, "drop"}}};
};
template <>
struct NestedSpec<delivery::OutboxConfig> {
  static const Spec<delivery::OutboxConfig>& spec();
};
template <>
struct NestedSpec<delivery::BatchConfig> {
  static const Spec<delivery::BatchConfig>& spec();
};
template <>
struct NestedSpec<delivery::RetryConfig> {
  static const Spec<delivery::RetryConfig>& spec();
};

namespace delivery {

// Declares the options outbox, batch and retry.
template <std::derived_from<DeliveryConfig> Config>
void add_fields(Spec<Config>& spec) {
  spec.field(static_cast<OutboxConfig Config::*>(&DeliveryConfig::outbox),
             {.name = "outbox", .help = "Where records wait on disk for the far side."})
      .field(static_cast<BatchConfig Config::*>(&DeliveryConfig::batch),
             {.name = "batch", .help = "How many records go in one request."})
      .field(static_cast<RetryConfig Config::*>(&DeliveryConfig::retry),
             {.name = "retry", .help = "How long a failed request waits.", .advanced = true});
}

// Opens the outbox in the state directory and starts the threads. `defaults`: what suits the
// service; `config` wins where it says something.
Result<std::unique_ptr<Sink>> open_sink(SinkContext context, const DeliveryConfig& config,
                                        DeliveryOptions defaults,
                                        std::unique_ptr<Destination> destination);

// 32 hex digits: the same for the same record of a pipeline, whatever happens in between, and
// growing within a partition.
class RecordIds {
 public:
  explicit RecordIds(std::string pipeline) : pipeline_(std::move(pipeline)) {}
  // Valid until the next call. Not thread-safe.
  std::string_view of(const Batch& batch, std::size_t i);

 private:
  std::string pipeline_;
  std::shared_ptr<const Origin> last_;  // kept, so that its address is nobody else's
  std::string text_;
};

}  // namespace delivery
}  // namespace streamd
