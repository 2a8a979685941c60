// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/producer.h"

#include "engine/io/kafka/error_map.h"
#include "engine/io/kafka/made_once.h"
#include "engine/io/kafka/producer_inside.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

namespace streamd::kafka {
namespace {

constexpr int kPollMs = 100;
constexpr int kProbeLimitMs = 1000;
constexpr int kFlushLimitMs = 3000;
constexpr Duration kLookEvery = Duration::from_seconds(5);

Settings settings_of(const ProducerOptions& options) {
  Settings settings = {
      {"enable.idempotence", "true"},
      {"compression.type", options.compression},
      {"linger.ms", fmt::format("{}", static_cast<double>(options.linger.micros) / 1000)},
      // The same key goes to the same partition as with Java's clients.
      {"partitioner", "murmur2_random"},
      {"queue.buffering.max.messages", "1000000"},
      {"queue.buffering.max.kbytes", "131072"},
      // A topic that is not there yet may be made; its records wait. (2.0.2 multiplies this by 1000
      // in 32 bits.)
      {"topic.metadata.propagation.max.ms", "2000000"},
  };
  if (options.transactional_id.empty()) {
    settings.emplace_back("message.timeout.ms", "0");
  } else {
    settings.emplace_back("transactional.id", options.transactional_id);
    settings.emplace_back("transaction.timeout.ms", std::to_string(kTransactionMs));
  }
  return settings;
}

std::string cache_name(const ProducerOptions& options) {
  std::string name =
      fmt::format("{}\n{}\n{}", options.client.brokers, options.linger.micros, options.compression);
  for (const auto& [key, value] : options.client.properties)
    name += fmt::format("\n{}={}", key, value);
  return name;
}

}  // namespace

Status Producer::Inside::start() {
  auto conf = make_conf(options.client, settings_of(options));
  if (!conf) return tl::unexpected(std::move(conf).error());
  rd_kafka_conf_set_opaque(conf->get(), this);
  rd_kafka_conf_set_error_cb(conf->get(), [](rd_kafka_t*, int code, const char* why, void* self) {
    static_cast<Inside*>(self)->on_error(static_cast<rd_kafka_resp_err_t>(code), why);
  });
  rd_kafka_conf_set_dr_msg_cb(conf->get(),
                              [](rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
                                static_cast<Inside*>(self)->on_delivery(*message);
                              });
  char text[32] = "";
  std::size_t size = sizeof text;
  rd_kafka_conf_get(conf->get(), "message.max.bytes", text, &size);
  max_bytes = std::strtoull(text, nullptr, 10);
  auto made = Client::make(RD_KAFKA_PRODUCER, std::move(*conf));
  if (!made) return tl::unexpected(std::move(made).error());
  client = std::move(*made);
  thread = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  return {};
}

void Producer::Inside::serve(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto before = delivered.load(std::memory_order_relaxed);
    rd_kafka_poll(client->get(), kPollMs);
    if (delivered.load(std::memory_order_relaxed) != before) room.notify_all();
    watch();
  }
}

void Producer::Inside::watch() {
  if (quiet) return;
  const Duration now = clock.monotonic();
  bool healthy = false, probe = false;
  {
    const std::lock_guard lock(health_mutex);
    healthy = health.healthy();
    probe = !healthy && health.probe_due(now);
  }
  if (probe) {
    const auto code = ask_metadata(client->get(), kProbeLimitMs);
    const std::lock_guard lock(health_mutex);
    health.probed(code == RD_KAFKA_RESP_ERR_NO_ERROR, describe(code), clock.monotonic());
  }
  if (healthy && now.micros - looked_at.micros >= kLookEvery.micros) {
    looked_at = now;
    look_for_missing_topics();
  }
}

// Records for a topic that does not exist wait silently inside librdkafka.
void Producer::Inside::look_for_missing_topics() {
  std::vector<std::string> waiting;
  {
    const std::lock_guard lock(mutex);
    for (const auto& [name, told] : missing)
      if (told || rd_kafka_outq_len(client->get()) > 0) waiting.push_back(name);
  }
  for (const auto& name : waiting) {
    const auto count = partition_count(client->get(), name, kProbeLimitMs);
    if (!count && count.error().retry == Retry::never) return fail(count.error());
    if (!count) continue;
    const std::lock_guard lock(mutex);
    auto& told = missing[name];
    if (*count > 0) {
      if (told) log(0, fmt::format("healed: topic \"{}\" is there", name));
      missing.erase(name);
    } else if (!told) {
      told = true;
      log(1, fmt::format("topic \"{}\" does not exist at {}; its records wait for it", name,
                         options.client.brokers));
    }
  }
}

void Producer::Inside::on_error(rd_kafka_resp_err_t code, const char* why) {
  const std::string where = fmt::format("Kafka at {}", options.client.brokers);
  if (code == RD_KAFKA_RESP_ERR__FATAL) {
    char text[512];
    const auto cause = rd_kafka_fatal_error(client->get(), text, sizeof text);
    Error fatal = to_error(cause, where, text);
    fatal.retry = Retry::never;
    return fail(std::move(fatal));
  }
  if (is_permanent(code)) return fail(to_error(code, where, why));
  if (!is_outage(code)) return;
  const std::lock_guard lock(health_mutex);
  health.suspect(why);
}

void Producer::Inside::on_delivery(const rd_kafka_message_t& message) {
  delivered.fetch_add(1, std::memory_order_relaxed);
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR && message.err != RD_KAFKA_RESP_ERR__PURGE_QUEUE &&
      message.err != RD_KAFKA_RESP_ERR__PURGE_INFLIGHT) {
    Error refused = to_error(message.err, fmt::format("a record for topic \"{}\" was refused",
                                                      rd_kafka_topic_name(message.rkt)));
    refused.retry = Retry::never;
    fail(std::move(refused));
    // Not durable, so its ticket stays open: the epoch must not count as written.
    return;
  }
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR)
    static_cast<Ticket*>(message._private)->open.fetch_sub(1, std::memory_order_acq_rel);
}

void Producer::Inside::fail(Error e) {
  {
    const std::lock_guard lock(mutex);
    if (!error) error = std::move(e);
    failed.store(true, std::memory_order_release);
  }
  room.notify_all();
}

Producer::Producer(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}

Result<std::shared_ptr<Producer>> Producer::open(const ProducerOptions& options, Shared& shared,
                                                 const Clock& clock, Log log) {
  auto inside = std::make_unique<Inside>(options, shared, clock, std::move(log));
  STREAMD_TRY(inside->start());
  return std::shared_ptr<Producer>(new Producer(std::move(inside)));
}

Result<std::shared_ptr<Producer>> Producer::shared_one(const ProducerOptions& options,
                                                       Shared& shared, const Clock& clock,
                                                       Log log) {
  const auto made = shared.get_or_make<MadeOnce<Producer>>(
      "kafka.producers", [] { return std::make_shared<MadeOnce<Producer>>(); });
  return made->get(cache_name(options), [&] { return open(options, shared, clock, log); });
}

Producer::~Producer() {
  inside_->thread.request_stop();
  if (inside_->thread.joinable()) inside_->thread.join();
  rd_kafka_t* rk = inside_->client->get();
  if (!inside_->failed && inside_->health.healthy()) rd_kafka_flush(rk, kFlushLimitMs);
  rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(rk, kPollMs);
  inside_->topics.clear();
}

Producer::Topic* Producer::topic(const std::string& name) {
  const std::lock_guard lock(inside_->mutex);
  auto& slot = inside_->topics[name];
  if (!slot) {
    slot = std::make_unique<Topic>();
    slot->name = name;
    slot->handle.reset(rd_kafka_topic_new(inside_->client->get(), name.c_str(), nullptr));
    inside_->missing[name] = false;
  }
  return slot.get();
}

Ticket* Producer::ticket() {
  const std::lock_guard lock(inside_->mutex);
  if (inside_->free_tickets.empty()) return &inside_->tickets.emplace_back();
  Ticket* ticket = inside_->free_tickets.back();
  inside_->free_tickets.pop_back();
  return ticket;
}

void Producer::give_back(Ticket* ticket) {
  const std::lock_guard lock(inside_->mutex);
  inside_->free_tickets.push_back(ticket);
}

Result<Sent> Producer::send(Topic* topic, std::string_view value, const std::string_view* key,
                            Ticket* ticket) {
  if (inside_->failed.load(std::memory_order_acquire)) return tl::unexpected(status().error());
  ticket->open.fetch_add(1, std::memory_order_acq_rel);
  // librdkafka copies; its interface is older than const.
  const int answer =
      rd_kafka_produce(topic->handle.get(), RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                       const_cast<char*>(value.data()), value.size(), key ? key->data() : nullptr,
                       key ? key->size() : 0, ticket);
  if (answer == 0) return Sent::taken;
  const auto code = rd_kafka_last_error();
  ticket->open.fetch_sub(1, std::memory_order_acq_rel);
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return Sent::full;
  if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) return Sent::too_large;
  Error refused = to_error(code, fmt::format("writing to topic \"{}\"", topic->name));
  refused.retry = Retry::never;
  return tl::unexpected(std::move(refused));
}

void Producer::wait_for_room(Duration limit) {
  std::unique_lock lock(inside_->mutex);
  if (inside_->failed) return;
  inside_->room.wait_for(lock, std::chrono::microseconds(limit.micros));
}

Status Producer::status() const {
  if (!inside_->failed.load(std::memory_order_acquire)) return {};
  const std::lock_guard lock(inside_->mutex);
  return tl::unexpected(inside_->error.value_or(Error{}));
}

std::size_t Producer::max_record_bytes() const { return inside_->max_bytes; }

}  // namespace streamd::kafka
