// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/transaction.h"

#include "engine/io/kafka/error_map.h"
#include "engine/io/kafka/group.h"
#include "engine/io/kafka/made_once.h"
#include "engine/io/kafka/marker.h"
#include "engine/io/kafka/producer_inside.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace streamd::kafka {
namespace {

constexpr int kInitLimitMs = 3000;
constexpr int kAskLimitMs = 5000;
// Offsets that time out can't be sent again within the same transaction, so they may take as long
// as the transaction itself.
constexpr int kOffsetsLimitMs = 300'000;
constexpr int kCommitLimitMs = 10'000;
constexpr int kAbortLimitMs = 3000;
constexpr int kCommitTries = 30;

constexpr int kAnswerLimitMs = 1000;
constexpr int kMarkerTries = 20;
constexpr std::chrono::milliseconds kMarkerPause{100};

constexpr char kGoesOn[] = "start the pipeline again: it goes on at the last committed epoch";

// The transaction is lost, and with it what was written since the last epoch.
Error lost(Error error) {
  error.retry = Retry::never;
  error.goes_on = true;
  if (error.hint.empty()) error.hint = kGoesOn;
  return error;
}

rd_kafka_t* client_of(Producer& producer) { return producer.inside().client->get(); }

Status from(rd_kafka_error_t* raw, const std::string& what) {
  if (raw == nullptr) return {};
  const ErrorPtr error(raw);
  Error made = to_error(rd_kafka_error_code(error.get()), what, rd_kafka_error_string(error.get()));
  const bool fatal = rd_kafka_error_is_fatal(error.get()) != 0;
  const bool abort = rd_kafka_error_txn_requires_abort(error.get()) != 0;
  if (abort && !fatal) return tl::unexpected(lost(std::move(made)));
  const bool again = rd_kafka_error_is_retriable(error.get()) != 0 && !fatal;
  made.retry = again ? Retry::backoff : Retry::never;
  if (!again && made.hint.empty()) made.hint = kGoesOn;
  return tl::unexpected(std::move(made));
}

// Said by a coordinator that is new, or that has not seen the last transaction through.
bool is_for_a_moment(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_NOT_COORDINATOR ||
         code == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS ||
         code == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT;
}

// Highest epoch among the markers; they may lie on several partitions.
rd_kafka_resp_err_t newest_marker(const rd_kafka_ListConsumerGroupOffsets_result_t& result,
                                  Epoch& newest) {
  std::size_t count = 0;
  const auto** groups = rd_kafka_ListConsumerGroupOffsets_result_groups(&result, &count);
  newest = 0;
  for (std::size_t g = 0; g < count; ++g) {
    if (const auto* e = rd_kafka_group_result_error(groups[g])) return rd_kafka_error_code(e);
    const auto* partitions = rd_kafka_group_result_partitions(groups[g]);
    for (int i = 0; partitions && i < partitions->cnt; ++i) {
      const auto& p = partitions->elems[i];
      if (p.err != RD_KAFKA_RESP_ERR_NO_ERROR) return p.err;
      const std::string_view text(static_cast<const char*>(p.metadata), p.metadata_size);
      newest = std::max(newest, parse_marker(text).value_or(0));
    }
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t ask_marker(rd_kafka_t* rk, const std::string& group, Epoch& newest) {
  const Queue answers(rd_kafka_queue_new(rk));
  rd_kafka_AdminOptions_t* options =
      rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
  char why[256];
  rd_kafka_AdminOptions_set_request_timeout(options, kAskLimitMs, why, sizeof why);
  if (auto* e = rd_kafka_AdminOptions_set_require_stable_offsets(options, 1))
    rd_kafka_error_destroy(e);
  rd_kafka_ListConsumerGroupOffsets_t* request =
      rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), nullptr);
  rd_kafka_ListConsumerGroupOffsets(rk, &request, 1, options, answers.get());
  rd_kafka_ListConsumerGroupOffsets_destroy(request);
  rd_kafka_AdminOptions_destroy(options);
  const EventPtr event(rd_kafka_queue_poll(answers.get(), 2 * kAskLimitMs));
  if (!event) return RD_KAFKA_RESP_ERR__TIMED_OUT;
  const auto code = rd_kafka_event_error(event.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return code;
  return newest_marker(*rd_kafka_event_ListConsumerGroupOffsets_result(event.get()), newest);
}

// Asked as a consumer of that group, though it never joins: when the answer is "not the
// coordinator", librdkafka looks for a new one on behalf of its client's own group, and crashes
// where there is none.
Result<Epoch> read_marker(const ClientOptions& options, const std::string& group) {
  auto conf = make_conf(options, {{"group.id", group}});
  if (!conf) return tl::unexpected(std::move(conf).error());
  const auto client = Client::make(RD_KAFKA_CONSUMER, std::move(*conf));
  if (!client) return tl::unexpected(client.error());
  Epoch newest = 0;
  auto code = ask_marker((*client)->get(), group, newest);
  for (int i = 0; i < kMarkerTries && is_for_a_moment(code); ++i) {
    std::this_thread::sleep_for(kMarkerPause);
    code = ask_marker((*client)->get(), group, newest);
  }
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return newest;
  return tl::unexpected(to_error(code, fmt::format("reading the offsets of group \"{}\"", group)));
}

}  // namespace

KafkaTransaction::KafkaTransaction(std::shared_ptr<Producer> producer, ProducerOptions options,
                                   const SinkContext& context)
    : producer_(std::move(producer)),
      options_(std::move(options)),
      pipeline_(context.pipeline),
      state_id_(context.state_id),
      shared_(*context.shared),
      clock_(*context.clock) {
  // Until the first answer the engine asks and tells.
  producer_->inside().quiet = true;
}

Result<std::shared_ptr<KafkaTransaction>> KafkaTransaction::of(ProducerOptions options,
                                                               const SinkContext& context) {
  options.transactional_id = kafka::transactional_id(context.pipeline, context.state_id);
  const auto made = context.shared->get_or_make<MadeOnce<KafkaTransaction>>(
      "kafka.transactions", [] { return std::make_shared<MadeOnce<KafkaTransaction>>(); });
  auto one = made->get(options.client.brokers, [&]() -> Result<std::shared_ptr<KafkaTransaction>> {
    auto producer = Producer::open(options, *context.shared, *context.clock, context.log);
    if (!producer) return tl::unexpected(std::move(producer).error());
    return std::shared_ptr<KafkaTransaction>(
        new KafkaTransaction(std::move(*producer), options, context));
  });
  if (one && (*one)->options_ != options)
    return fail(ErrorKind::config,
                "exactly-once sinks for the same brokers must have the same options",
                "give them the same linger, compression and options, or make it one sink");
  return one;
}

std::string KafkaTransaction::name() const { return "kafka:" + options_.client.brokers; }

// Fences older processes with the same id and waits until what they left open is finished.
Status KafkaTransaction::init() {
  if (initialised_) return {};
  STREAMD_TRY(from(rd_kafka_init_transactions(client_of(*producer_), kInitLimitMs),
                   fmt::format("starting transactions at {}", options_.client.brokers)));
  initialised_ = true;
  producer_->inside().quiet = false;
  return {};
}

Result<Epoch> KafkaTransaction::last_committed() {
  const std::lock_guard lock(mutex_);
  STREAMD_TRY(producer_->status());
  STREAMD_TRY(init());
  const auto epoch = read_marker(options_.client, marker_group(pipeline_, state_id_));
  if (epoch && *epoch > committed_) committed_ = *epoch;
  return epoch;
}

Status KafkaTransaction::open_transaction() {
  if (open_) return {};
  STREAMD_TRY(producer_->status());
  STREAMD_TRY(init());
  STREAMD_TRY(from(rd_kafka_begin_transaction(client_of(*producer_)), "beginning a transaction"));
  opened_at_ = clock_.monotonic();
  open_.store(true, std::memory_order_release);
  return {};
}

// A coordinator aborts what is open for so long, and calls whoever comes back with it fenced.
bool KafkaTransaction::has_expired() const {
  const auto limit = millis_of(options_.client, "transaction.timeout.ms", kTransactionMs);
  return clock_.monotonic() - opened_at_ >= Duration::from_millis(limit);
}

Status KafkaTransaction::begin() {
  if (open_.load(std::memory_order_acquire)) return {};
  const std::lock_guard lock(mutex_);
  return open_transaction();
}

void KafkaTransaction::wait_for_commit(Epoch epoch, Duration limit) {
  std::unique_lock lock(sinks_mutex_);
  commits_.wait_for(lock, std::chrono::microseconds(limit.micros),
                    [&] { return committed_ >= epoch; });
}

void KafkaTransaction::writes_to(const std::string& topic) {
  const std::lock_guard lock(sinks_mutex_);
  if (std::find(topics_.begin(), topics_.end(), topic) == topics_.end()) topics_.push_back(topic);
}

// Backoff while either client has not heard from its cluster yet.
Result<bool> KafkaTransaction::same_cluster(const Group& group) {
  if (cluster_.empty()) {
    char* id = rd_kafka_clusterid(client_of(*producer_), kAskLimitMs);
    cluster_ = id ? id : "";
    if (id) rd_kafka_mem_free(client_of(*producer_), id);
  }
  const std::string other = group.cluster_id(kAskLimitMs);
  if (cluster_.empty() || other.empty()) return fail_for_now({});
  return other == cluster_;
}

// The marker needs an existing partition: a topic that the sinks write to, else one that is read.
Result<std::string> KafkaTransaction::marker_topic(const Groups& groups) {
  if (!marker_topic_.empty()) return marker_topic_;
  std::vector<std::string> candidates;
  {
    const std::lock_guard lock(sinks_mutex_);
    candidates = topics_;
  }
  for (const auto& [node, group] : groups)
    candidates.insert(candidates.end(), group->topics().begin(), group->topics().end());
  for (const auto& topic : candidates) {
    const auto count = partition_count(client_of(*producer_), topic, kAskLimitMs);
    if (!count) return tl::unexpected(count.error());
    if (*count == 0) continue;
    marker_topic_ = topic;
    break;
  }
  return marker_topic_;
}

Status KafkaTransaction::send_marker(Epoch epoch, const Groups& groups) {
  const auto topic = marker_topic(groups);
  if (!topic) return tl::unexpected(topic.error());
  // Nothing to write to yet: then nothing was written, and the epoch may as well be run again.
  if (topic->empty()) return {};
  const auto list = new_list();
  add(list, *topic, 0, static_cast<std::int64_t>(epoch));
  const std::string text = format_marker(epoch);
  auto& p = list->elems[0];
  p.metadata = rd_kafka_mem_malloc(nullptr, text.size());
  p.metadata_size = text.size();
  std::copy(text.begin(), text.end(), static_cast<char*>(p.metadata));
  const GroupMetadata group(
      rd_kafka_consumer_group_metadata_new(marker_group(pipeline_, state_id_).c_str()));
  return from(rd_kafka_send_offsets_to_transaction(client_of(*producer_), list.get(), group.get(),
                                                   kOffsetsLimitMs),
              fmt::format("adding epoch {} to its transaction", epoch));
}

// Offsets and the membership that entitles to commit them. Nothing when membership is lost: the
// rebalance that follows has to come first.
struct KafkaTransaction::Part {
  std::string group;
  PartitionList offsets;
  GroupMetadata membership;
};

std::optional<std::vector<KafkaTransaction::Part>> KafkaTransaction::parts_of(
    const Groups& groups, const std::map<std::string, Positions>& positions) {
  std::vector<Part> parts;
  for (const auto& [node, group] : groups) {
    if (group->ownership() != Ownership::whole) return std::nullopt;
    // Asked for each time: the generation changes with every rebalance.
    Part part{group->name(), group->offsets_of(positions.at(node)), group->metadata()};
    if (!part.membership || group->membership_lost()) return std::nullopt;
    if (part.offsets->cnt > 0) parts.push_back(std::move(part));
  }
  return parts;
}

Status KafkaTransaction::send_offsets(const std::vector<Part>& parts) {
  for (const auto& part : parts)
    STREAMD_TRY(from(rd_kafka_send_offsets_to_transaction(client_of(*producer_), part.offsets.get(),
                                                          part.membership.get(), kOffsetsLimitMs),
                     fmt::format("adding the offsets of group \"{}\"", part.group)));
  return {};
}

// The groups whose offsets belong into the transaction.
Result<KafkaTransaction::Groups> KafkaTransaction::groups_of(
    const std::map<std::string, Positions>& positions) {
  Groups groups;
  for (const auto& [node, group] : GroupDirectory::of(shared_)->all()) {
    if (!positions.contains(node)) continue;
    const auto same = same_cluster(*group);
    if (!same) return tl::unexpected(same.error());
    if (!*same) continue;
    group->leave_commits_to_transaction();
    groups.emplace(node, group);
  }
  return groups;
}

// Offsets that are under way while Kafka goes away may come back to a group that has moved on, and
// then the whole transaction is lost: they are sent only when it answers. Outages are told by the
// clients, so an error that will heal has no message.
Status KafkaTransaction::await_answer() {
  STREAMD_TRY(producer_->status());
  if (ask_metadata(client_of(*producer_), kAnswerLimitMs) == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return fail_for_now({});
}

// After membership was lost in an outage, the next assignment tells whether the records of this
// epoch are still ours to commit.
Status KafkaTransaction::check_ownership(const Groups& groups) {
  for (const auto& [node, group] : groups)
    if (group->ownership() == Ownership::broken)
      return tl::unexpected(
          lost({ErrorKind::external,
                Retry::never,
                fmt::format("a partition went to another member of group \"{}\" before its "
                            "records could be committed",
                            group->name()),
                {}}));
  return {};
}

Status KafkaTransaction::finish() {
  Status status;
  for (int i = 0; i < kCommitTries; ++i) {
    status = from(rd_kafka_commit_transaction(client_of(*producer_), kCommitLimitMs),
                  "committing a transaction");
    if (status || status.error().retry == Retry::never) break;
  }
  if (status) return status;
  status.error().retry = Retry::never;
  if (!has_expired()) return status;
  status.error().message = "a transaction was open for longer than transaction.timeout.ms";
  status.error().hint.clear();
  return tl::unexpected(lost(std::move(status).error()));
}

Status KafkaTransaction::commit(Epoch epoch, const std::map<std::string, Positions>& positions) {
  {
    const std::lock_guard lock(mutex_);
    if (epoch <= committed_) return {};
    STREAMD_TRY(await_answer());
    STREAMD_TRY(open_transaction());
    const auto groups = groups_of(positions);
    if (!groups) return tl::unexpected(groups.error());
    // No partition is given up until the transaction that holds its offset is committed.
    std::vector<std::unique_lock<std::mutex>> held;
    for (const auto& [node, group] : *groups) held.push_back(group->hold_partitions());
    STREAMD_TRY(check_ownership(*groups));
    const auto parts = parts_of(*groups, positions);
    if (!parts) return fail_for_now({});
    STREAMD_TRY(send_marker(epoch, *groups));
    STREAMD_TRY(send_offsets(*parts));
    STREAMD_TRY(finish());
    // Before partitions may go: whoever looks at the group's offsets then must know them as ours.
    for (const auto& [node, group] : *groups) group->note_durable(positions.at(node));
    open_.store(false, std::memory_order_release);
    const std::lock_guard sinks(sinks_mutex_);
    committed_.store(epoch, std::memory_order_release);
  }
  commits_.notify_all();
  return {};
}

void KafkaTransaction::abandon() noexcept {
  const std::lock_guard lock(mutex_);
  if (!open_.exchange(false)) return;
  if (auto* e = rd_kafka_abort_transaction(client_of(*producer_), kAbortLimitMs))
    rd_kafka_error_destroy(e);
}

}  // namespace streamd::kafka
