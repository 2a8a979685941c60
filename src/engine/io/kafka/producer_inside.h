// SPDX-License-Identifier: Apache-2.0
// The inside of Producer. Included only in this folder.
#pragma once

#include "engine/io/kafka/conf.h"
#include "engine/io/kafka/outage.h"
#include "engine/io/kafka/producer.h"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace streamd::kafka {

struct Producer::Topic {
  std::string name;
  std::unique_ptr<rd_kafka_topic_t, Destroy<rd_kafka_topic_destroy>> handle;
};

struct Producer::Inside {
  Inside(ProducerOptions o, Shared& shared, const Clock& c, Log l)
      : options(std::move(o)),
        clock(c),
        log(std::move(l)),
        health(Outage::of(shared, options.client.brokers), log) {}

  Status start();
  void serve(const std::stop_token& stop);
  void watch();
  void on_error(rd_kafka_resp_err_t code, const char* why);
  void on_delivery(const rd_kafka_message_t& message);
  void fail(Error error);
  void look_for_missing_topics();

  const ProducerOptions options;
  const Clock& clock;
  const Log log;
  std::shared_ptr<Client> client;
  std::size_t max_bytes = 0;
  // Flushing for a transaction serves error events on the engine's control thread.
  std::mutex health_mutex;
  Health health;
  Duration looked_at{};  // serving thread

  // Outages are somebody else's to tell, for now.
  std::atomic<bool> quiet{false};
  std::atomic<bool> failed{false};
  std::atomic<std::uint64_t> delivered{0};
  std::mutex mutex;  // everything below
  std::condition_variable room;
  std::optional<Error> error;
  std::map<std::string, std::unique_ptr<Topic>, std::less<>> topics;
  std::map<std::string, bool> missing;  // topics that were not there: told
  std::deque<Ticket> tickets;
  std::vector<Ticket*> free_tickets;
  std::jthread thread;
};

}  // namespace streamd::kafka
