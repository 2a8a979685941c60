// SPDX-License-Identifier: Apache-2.0
// Producer: one librdkafka producer, shared by all instances of the sinks with the same settings.
// It never gives a record up: what Kafka does not take now waits and is sent again, in order.
//
// Thread-safe. An own thread serves delivery reports and watches whether the cluster answers.
#pragma once

#include "engine/api/shared.h"
#include "engine/core/clock.h"
#include "engine/core/error.h"
#include "engine/io/kafka/client_options.h"

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace streamd::kafka {

// Counts records that are not known to be durable. One per sink instance and epoch; lives as long
// as the producer that made it.
struct Ticket {
  std::atomic<std::uint64_t> open{0};
};

// An outage shorter than this heals; after a longer one the pipeline goes on from its last
// committed epoch.
inline constexpr std::int64_t kTransactionMs = 300'000;

struct ProducerOptions {
  ClientOptions client;
  std::string transactional_id;  // empty: no transactions
  Duration linger = Duration::from_millis(5);
  std::string compression = "lz4";

  bool operator==(const ProducerOptions&) const = default;
};

enum class Sent : std::uint8_t {
  taken,      // counted in the ticket until durable
  full,       // no room now: wait for room
  too_large,  // larger than message.max.bytes
};

class Producer {
 public:
  using Log = std::function<void(int level, const std::string& text)>;
  struct Topic;  // a topic's handle, owned by the producer

  // Returns at once, whether or not a broker is there.
  static Result<std::shared_ptr<Producer>> open(const ProducerOptions& options, Shared& shared,
                                                const Clock& clock, Log log);
  // The pipeline's producer without transactions for these options.
  static Result<std::shared_ptr<Producer>> shared_one(const ProducerOptions& options,
                                                      Shared& shared, const Clock& clock, Log log);
  // Sends what is left for some seconds, then drops it.
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  // The name must pass is_topic_name().
  Topic* topic(const std::string& name);
  Ticket* ticket();
  // Only when ticket->open is 0.
  void give_back(Ticket* ticket);

  // Copies value and key. `key` null: the partition is chosen at random. An Error (never to be
  // retried) when a record was refused for good, whoever sent it.
  Result<Sent> send(Topic* topic, std::string_view value, const std::string_view* key,
                    Ticket* ticket);
  // Blocks until there may be room again, at most `limit`.
  void wait_for_room(Duration limit);
  Status status() const;
  std::size_t max_record_bytes() const;  // key and value together

  // For Transaction, in this folder.
  struct Inside;
  Inside& inside() { return *inside_; }

 private:
  explicit Producer(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace streamd::kafka
