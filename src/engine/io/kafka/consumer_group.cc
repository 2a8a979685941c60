// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/consumer_group.h"

#include "engine/io/kafka/error_map.h"
#include "engine/io/kafka/group.h"
#include "engine/io/kafka/position.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd::kafka {
namespace {

constexpr int kSessionMs = 10'000;
// While there is a backlog: half of the records that may be queued last for longer.
constexpr int kBusyPollMs = 20;
constexpr int kWakeLimitMs = 1;
constexpr std::size_t kWokenPartitions = 16;  // per worker
constexpr unsigned kQueuedRecords = 100'000;  // per worker

}  // namespace

Result<std::shared_ptr<ConsumerGroup>> ConsumerGroup::open(GroupOptions options,
                                                           SourceContext context) {
  const std::string node = context.node;
  Shared& shared = *context.shared;
  auto group = std::make_shared<Group>(std::move(options), std::move(context));
  STREAMD_TRY(group->start());
  GroupDirectory::of(shared)->add(node, group);
  return group;
}

Group::Group(GroupOptions options, SourceContext context)
    : options_(std::move(options)),
      context_(std::move(context)),
      health_(Outage::of(*context_.shared, options_.client.brokers), context_.log),
      advice_(options_, context_),
      direct_(options_.direct && may_fetch_directly(options_.client)) {
  for (unsigned w = 0; w < context_.workers; ++w)
    workers_.push_back(std::make_unique<WorkerLanes>());
}

Group::~Group() { close(); }

Settings Group::settings() const {
  const auto kilobytes = std::max<std::uint64_t>(
      1024, options_.prefetch_bytes / std::max(1u, context_.workers) / 1024);
  return {
      {"group.id", options_.group},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "error"},
      {"enable.partition.eof", "true"},
      {"isolation.level", "read_committed"},
      {"partition.assignment.strategy", "range"},
      {"allow.auto.create.topics", "false"},
      // How long the group waits for a member that died without a word.
      {"session.timeout.ms", std::to_string(kSessionMs)},
      // The control thread polls at all times; only a stuck process should lose its partitions.
      {"max.poll.interval.ms", "600000"},
      {"queued.min.messages", std::to_string(kQueuedRecords)},
      {"queued.max.messages.kbytes", std::to_string(std::min<std::uint64_t>(kilobytes, 2097151))},
      // Requests behind a waiting fetch wait with it.
      {"fetch.wait.max.ms", "100"},
  };
}

Duration Group::session_timeout() const {
  return Duration::from_millis(millis_of(options_.client, "session.timeout.ms", kSessionMs));
}

Status Group::start() {
  for (const auto& [name, text] : context_.resume_at) {
    auto offset = parse_position(text);
    if (!offset) return in_context(std::move(offset).error(), name);
    known_[name] = {*offset, *offset};
    const auto target = parse_partition_name(name);
    if (target && std::count(options_.topics.begin(), options_.topics.end(), target->topic) > 0)
      lanes_of(target->partition).expected.emplace_back(name, text);
  }
  auto conf = make_conf(options_.client, settings());
  if (!conf) return tl::unexpected(std::move(conf).error());
  rd_kafka_conf_set_opaque(conf->get(), this);
  rd_kafka_conf_set_rebalance_cb(
      conf->get(),
      [](rd_kafka_t*, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions,
         void* self) { static_cast<Group*>(self)->on_rebalance(code, partitions); });
  rd_kafka_conf_set_error_cb(conf->get(), [](rd_kafka_t*, int code, const char* why, void* self) {
    static_cast<Group*>(self)->on_error(static_cast<rd_kafka_resp_err_t>(code), why);
  });
  rd_kafka_conf_set_offset_commit_cb(conf->get(),
                                     [](rd_kafka_t*, rd_kafka_resp_err_t code,
                                        rd_kafka_topic_partition_list_t* offsets, void* self) {
                                       if (offsets)
                                         static_cast<Group*>(self)->on_committed(code, *offsets);
                                     });
  auto client = Client::make(RD_KAFKA_CONSUMER, std::move(*conf));
  if (!client) return tl::unexpected(std::move(client).error());
  client_ = std::move(*client);
  rd_kafka_poll_set_consumer(client_->get());
  control_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  return {};
}

void Group::serve(std::stop_token stop) {
  if (options_.until_end && !find_ends(stop)) return;
  const auto topics = new_list();
  for (const auto& topic : options_.topics) add(topics, topic, RD_KAFKA_PARTITION_UA, 0);
  const auto code = rd_kafka_subscribe(client_->get(), topics.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return fail(to_error(code, "subscribing"));
  while (!stop.stop_requested()) {
    poll(keep_fetching() ? kBusyPollMs : kPollMs);
    if (probe_due()) probe();
    serve_resets();
    serve_links(stop);
    if (options_.until_end && assigned_ && !rest_is_read_) look_at_others();
    if (health_.healthy()) advice_.serve();
  }
}

// Once a queue was full, librdkafka 2.0.2 looks at it again only after a second, unless something
// else wakes the broker's thread: any request does. (From 2.2 on there is fetch.queue.backoff.ms.)
// A short queue stays in the cache, one that lasts for a second does not. True while there is a
// backlog.
bool Group::keep_fetching() {
  bool backlog = false;
  const auto list = new_list();
  for (auto& worker : workers_) {
    const std::lock_guard lock(worker->mutex);
    if (!worker->backlog || !worker->queue) continue;
    backlog = true;
    if (rd_kafka_queue_length(worker->queue.get()) >= kQueuedRecords) continue;
    // A full queue is emptied in several fetches, which set this again.
    worker->backlog = false;
    add_some(*worker, list);
  }
  if (list->cnt > 0 && health_.healthy())
    rd_kafka_offsets_for_times(client_->get(), list.get(), kWakeLimitMs);
  return backlog;
}

// Others in turn, so that the leaders of all of them are asked.
void Group::add_some(const WorkerLanes& worker, const PartitionList& list) {
  const std::size_t count = worker.slots.size();
  for (std::size_t i = 0; i < std::min(count, kWokenPartitions); ++i) {
    const Slot& slot = *worker.slots[wake_turn_++ % count];
    if (!slot.stalled && slot.lane.wants_more())
      add(list, slot.topic, slot.partition, RD_KAFKA_OFFSET_END);
  }
}

void Group::poll(int limit_ms) {
  const MessagePtr message(rd_kafka_consumer_poll(client_->get(), limit_ms));
  if (message) serve_message(message.get());
}

void Group::serve_message(const rd_kafka_message_t* message) {
  const auto code = message->err;
  const std::string topic = message->rkt ? rd_kafka_topic_name(message->rkt) : "";
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__PARTITION_EOF ||
      code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
    // Fetched before the partition was paused.
    if (direct_) return;
    auto& worker = lanes_of(message->partition);
    const std::lock_guard lock(worker.mutex);
    return sort_in(worker, *message);
  }
  if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) {
    missing(topic);
  } else if (is_permanent(code)) {
    const char* why = rd_kafka_message_errstr(message);
    fail(to_error(code,
                  topic.empty() ? fmt::format("group \"{}\"", options_.group)
                                : fmt::format("topic \"{}\"", topic),
                  why ? why : ""));
  } else if (is_outage(code)) {
    health_.suspect(describe(code));
  } else {
    const char* why = rd_kafka_message_errstr(message);
    log(1, fmt::format("group \"{}\": {}", options_.group, why ? why : describe(code)));
  }
}

void Group::missing(const std::string& topic) {
  if (missing_.insert(topic).second)
    log(1, fmt::format("topic \"{}\" does not exist at {}; waiting for it", topic,
                       options_.client.brokers));
}

void Group::on_error(rd_kafka_resp_err_t code, const char* reason) {
  if (code == RD_KAFKA_RESP_ERR__FATAL) {
    char why[512];
    const auto cause = rd_kafka_fatal_error(client_->get(), why, sizeof why);
    Error error = to_error(cause, fmt::format("group \"{}\"", options_.group), why);
    error.retry = Retry::never;
    return fail(std::move(error));
  }
  if (is_permanent(code))
    return fail(to_error(code, fmt::format("Kafka at {}", options_.client.brokers), reason));
  if (is_outage(code)) health_.suspect(reason);
}

void Group::fail(Error error) {
  const std::lock_guard lock(mutex_);
  if (!error_) error_ = std::move(error);
  failed_ = true;
}

Error Group::error() const {
  const std::lock_guard lock(mutex_);
  return error_.value_or(Error{});
}

// Whoever waits at the end of a partition may go on only as far as the last answer.
bool Group::probe_due() {
  bool waiting = false;
  for (auto& worker : workers_) {
    const std::lock_guard lock(worker->mutex);
    for (const auto& slot : worker->slots) waiting = waiting || slot->lane.caught_up();
  }
  return health_.probe_due(context_.clock->monotonic(), waiting);
}

// Asks the leaders of all partitions for their ends: shows that they answer, and that a partition
// that was read to its end still is.
void Group::probe() {
  const Duration asked_at = context_.clock->monotonic();
  const auto list = new_list();
  for (auto& worker : workers_) {
    const std::lock_guard lock(worker->mutex);
    for (const auto& slot : worker->slots)
      add(list, slot->topic, slot->partition, RD_KAFKA_OFFSET_END);
  }
  auto code = list->cnt == 0
                  ? ask_metadata(client_->get(), kProbeLimitMs)
                  : rd_kafka_offsets_for_times(client_->get(), list.get(), kProbeLimitMs);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = take_ends(*list, asked_at);
  health_.probed(code == RD_KAFKA_RESP_ERR_NO_ERROR, describe(code), context_.clock->monotonic());
  healthy_.store(health_.healthy(), std::memory_order_release);
}

// Gives the worker's lanes the ends that were asked for. The first error that means an outage.
rd_kafka_resp_err_t Group::take_ends(const rd_kafka_topic_partition_list_t& ends,
                                     Duration asked_at) {
  auto outage = RD_KAFKA_RESP_ERR_NO_ERROR;
  for (std::size_t w = 0; w < workers_.size(); ++w) {
    auto& worker = *workers_[w];
    const std::lock_guard lock(worker.mutex);
    bool all_known = worker.assignment != 0;
    for (int i = 0; i < ends.cnt; ++i) {
      const auto& p = ends.elems[i];
      if (worker_of(p.partition) != w) continue;
      if (is_outage(p.err)) outage = p.err;
      // A partition that does not exist any more has nothing to read.
      if (p.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        all_known = all_known && p.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        continue;
      }
      if (Slot* slot = worker.find(partition_name(p.topic, p.partition)))
        slot->lane.grows_to(p.offset);
    }
    if (all_known) worker.confirmed_at = asked_at;
  }
  return outage;
}

void Group::serve_resets() {
  std::vector<std::string> wanted;
  {
    const std::lock_guard lock(mutex_);
    wanted.swap(resets_);
  }
  bool any = false;
  for (auto& name : wanted) {
    const auto target = parse_partition_name(name);
    if (!target || find_reset(*target, name)) {
      any = true;
      continue;
    }
    const std::lock_guard lock(mutex_);
    resets_.push_back(std::move(name));
  }
  if (any) take_anew();
}

// The next offset of this partition does not exist. Says what is lost and sets the lane to the
// earliest record. False: not yet.
bool Group::find_reset(const TopicPartition& target, const std::string& name) {
  auto& of = lanes_of(target.partition);
  std::int64_t low = 0, high = 0, wanted = 0;
  const auto code = rd_kafka_query_watermark_offsets(client_->get(), target.topic.c_str(),
                                                     target.partition, &low, &high, kProbeLimitMs);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
  {
    const std::lock_guard lock(of.mutex);
    Slot* slot = of.find(name);
    if (slot == nullptr) return true;
    if (slot->waiting > 0) return false;
    slot->stalled = false;
    wanted = slot->lane.next();
    if (wanted >= low && wanted <= high) return true;
    slot->lane.jump(low, high);
    if (wanted < low) of.expired += static_cast<std::uint64_t>(low - wanted);
    slot->acknowledged = low;
  }
  if (options_.until_end) ends_[name] = std::min(ends_[name], high);
  if (wanted < low)
    log(2, fmt::format("{}: offsets {} to {} are gone (expired or deleted before they were read): "
                       "{} records lost; going on at {}",
                       name, wanted, low - 1, low - wanted, low));
  else
    log(2, fmt::format("{}: offset {} does not exist, the partition ends at {} (was the topic "
                       "deleted and made anew?); reading it from its beginning at {}",
                       name, wanted, high, low));
  return true;
}

}  // namespace streamd::kafka
