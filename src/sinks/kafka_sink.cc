// SPDX-License-Identifier: Apache-2.0
#include "engine/api/registry.h"
#include "engine/io/kafka/position.h"
#include "engine/io/kafka/transaction.h"
#include "sinks/builtin_sinks.h"
#include "sinks/kafka_record.h"
#include "sinks/time_style.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <unordered_map>

namespace streamd {
namespace {

enum class Compression { none, gzip, snappy, lz4, zstd };

}  // namespace

template <>
struct EnumNames<Compression> {
  static constexpr std::array<std::pair<Compression, std::string_view>, 5> values = {
      {{Compression::none, "none"},
       {Compression::gzip, "gzip"},
       {Compression::snappy, "snappy"},
       {Compression::lz4, "lz4"},
       {Compression::zstd, "zstd"}}};
};

namespace {

constexpr Duration kRoomWait = Duration::from_millis(50);
// A queue that stays full that long is reported, and the engine tries again.
constexpr int kRoomTries = 200;
constexpr std::size_t kMaxTopics = 10'000;
constexpr std::size_t kMaxHeldBytes = std::size_t{64} << 20;
constexpr Duration kHeldWait = Duration::from_seconds(1);

struct KafkaSinkConfig {
  std::vector<std::string> brokers;
  TemplateText topic;
  std::optional<TemplateText> key;
  std::optional<TemplateText> message;
  bool exactly_once = false;
  TimeStyle time_format = TimeStyle::rfc3339;
  Compression compression = Compression::lz4;
  Duration linger = Duration::from_millis(5);
  ConfigNode options;
};

class KafkaSink final : public Sink {
 public:
  // transaction: null for at least once.
  KafkaSink(KafkaShape shape, std::shared_ptr<kafka::Producer> producer,
            std::shared_ptr<kafka::KafkaTransaction> transaction)
      : record_(std::move(shape), producer->max_record_bytes()),
        transaction_(std::move(transaction)),
        producer_(std::move(producer)),
        ticket_(producer_->ticket()) {
    if (record_.has_fixed_topic()) fixed_ = topic_of(record_.topic());
  }

  Status write(const Batch& batch, Emitter& out) override;
  Status tick(Emitter&) override { return send_held(); }
  Status barrier(Epoch epoch) override;
  Result<bool> prepared(Epoch epoch) override;
  Transaction* transaction() override { return transaction_.get(); }
  void close() noexcept override {
    if (transaction_) transaction_->abandon();
    transaction_.reset();
    producer_.reset();
  }

 private:
  // A record that belongs to a transaction that can't begin yet.
  struct Held {
    kafka::Producer::Topic* topic;
    std::string value;
    std::optional<std::string> key;
    kafka::Ticket* ticket;  // counts it as open already
    Epoch after;            // the epoch that has to be committed first
  };

  Status write_one(const Batch& batch, std::size_t i, Emitter& out);
  // False: the record was rejected.
  bool render(const Batch& batch, std::size_t i, Emitter& out);
  kafka::Producer::Topic* topic_of(const std::string& name);
  bool must_hold() const {
    return transaction_ && (!held_.empty() || transaction_->committed() < last_barrier_);
  }
  void hold();
  Status send_held();
  Result<kafka::Sent> send(kafka::Producer::Topic* topic, std::string_view value,
                           const std::optional<std::string>& key, kafka::Ticket* ticket);

  KafkaRecord record_;
  // Shared by the sinks of the pipeline; null after close().
  std::shared_ptr<kafka::KafkaTransaction> transaction_;
  std::shared_ptr<kafka::Producer> producer_;
  kafka::Ticket* ticket_;                                // of the epoch that is being written
  std::deque<std::pair<Epoch, kafka::Ticket*>> closed_;  // epochs behind their barrier
  Epoch last_barrier_ = 0;
  std::deque<Held> held_;
  std::size_t held_bytes_ = 0;
  std::size_t done_ = 0;  // records of a batch that will come again
  std::unordered_map<std::string, kafka::Producer::Topic*> topics_;
  kafka::Producer::Topic* fixed_ = nullptr;
  kafka::Producer::Topic* topic_ = nullptr;  // of the record at hand
};

kafka::Producer::Topic* KafkaSink::topic_of(const std::string& name) {
  const auto found = topics_.find(name);
  if (found != topics_.end()) return found->second;
  if (topics_.size() >= kMaxTopics) return nullptr;
  auto* topic = producer_->topic(name);
  topics_.emplace(name, topic);
  if (transaction_) transaction_->writes_to(name);
  return topic;
}

bool KafkaSink::render(const Batch& batch, std::size_t i, Emitter& out) {
  if (const auto fault = record_.fill(batch, i)) {
    out.reject(batch, i, *fault);
    return false;
  }
  topic_ = fixed_ != nullptr ? fixed_ : topic_of(record_.topic());
  if (topic_ != nullptr) return true;
  out.reject(batch, i,
             {"too-many-topics", fmt::format("the records already go to {} topics", kMaxTopics)});
  return false;
}

Result<kafka::Sent> KafkaSink::send(kafka::Producer::Topic* topic, std::string_view value,
                                    const std::optional<std::string>& key, kafka::Ticket* ticket) {
  if (transaction_) STREAMD_TRY(transaction_->begin());
  if (!key) return producer_->send(topic, value, nullptr, ticket);
  const std::string_view bytes = *key;
  return producer_->send(topic, value, &bytes, ticket);
}

Status KafkaSink::write(const Batch& batch, Emitter& out) {
  STREAMD_TRY(send_held());
  // Holding without a bound would take all memory while Kafka is away; waiting without a bound
  // would keep this worker from the very commit that is waited for.
  if (held_bytes_ > kMaxHeldBytes) {
    transaction_->wait_for_commit(last_barrier_, kHeldWait);
    STREAMD_TRY(send_held());
  }
  for (; done_ < batch.size(); ++done_) STREAMD_TRY(write_one(batch, done_, out));
  done_ = 0;
  return {};
}

Status KafkaSink::write_one(const Batch& batch, std::size_t i, Emitter& out) {
  if (!render(batch, i, out)) return {};
  if (must_hold()) {
    hold();
    return {};
  }
  for (int tries = 0; tries < kRoomTries; ++tries) {
    const auto sent = send(topic_, record_.value(), record_.key(), ticket_);
    if (!sent) return tl::unexpected(sent.error());
    if (*sent == kafka::Sent::taken) return {};
    if (*sent == kafka::Sent::too_large) {
      out.reject(batch, i, {"too-large", "the record is larger than message.max.bytes"});
      return {};
    }
    producer_->wait_for_room(kRoomWait);
  }
  return fail_for_now("the queue to Kafka stays full");
}

void KafkaSink::hold() {
  ticket_->open.fetch_add(1, std::memory_order_acq_rel);
  held_bytes_ += record_.value().size() + sizeof(Held);
  held_.push_back({topic_, record_.value(), record_.key(), ticket_, last_barrier_});
}

// Sends what waited for a commit, as far as there is room.
Status KafkaSink::send_held() {
  while (!held_.empty() && transaction_->committed() >= held_.front().after) {
    Held& next = held_.front();
    const auto sent = send(next.topic, next.value, next.key, next.ticket);
    if (!sent) {
      if (sent.error().retry == Retry::backoff) return {};
      return tl::unexpected(sent.error());
    }
    if (*sent == kafka::Sent::full) return {};
    next.ticket->open.fetch_sub(1, std::memory_order_acq_rel);
    held_bytes_ -= next.value.size() + sizeof(Held);
    held_.pop_front();
  }
  return {};
}

Status KafkaSink::barrier(Epoch epoch) {
  closed_.emplace_back(epoch, ticket_);
  ticket_ = producer_->ticket();
  last_barrier_ = epoch;
  return {};
}

Result<bool> KafkaSink::prepared(Epoch epoch) {
  STREAMD_TRY(producer_->status());
  STREAMD_TRY(send_held());
  while (!closed_.empty() && closed_.front().first <= epoch) {
    kafka::Ticket* ticket = closed_.front().second;
    if (ticket->open.load(std::memory_order_acquire) != 0) return false;
    producer_->give_back(ticket);
    closed_.pop_front();
  }
  return true;
}

class KafkaSinkPlan final : public SinkPlan, public Renders {
 public:
  KafkaSinkPlan(KafkaSinkConfig config, kafka::ProducerOptions producer, expr::Template topic,
                std::optional<expr::Template> key, std::optional<expr::Template> message)
      : config_(std::move(config)),
        producer_(std::move(producer)),
        topic_(std::move(topic)),
        key_(std::move(key)),
        message_(std::move(message)) {}

  Needs needs() const override {
    Needs needs;
    topic_.fields(needs.fields);
    if (key_) key_->fields(needs.fields);
    if (message_)
      message_->fields(needs.fields);
    else
      needs.whole = true;
    return needs;
  }
  void bind(const Schema& in, Diagnostics& problems) override {
    shape_ = {};
    if (topic_.literal()) shape_.fixed_topic = topic_.literal_prefix();
    if (auto bound = topic_.bind(in, problems)) shape_.topic = std::move(*bound);
    if (key_)
      if (auto bound = key_->bind(in, problems)) shape_.key = std::move(*bound);
    if (message_) {
      if (auto bound = message_->bind(in, problems)) shape_.message = std::move(*bound);
    } else {
      shape_.json = std::make_shared<const JsonEncoder>(in, config_.time_format);
    }
  }
  Promise promise() const override {
    return config_.exactly_once ? Promise::exactly_once : Promise::at_least_once;
  }
  Placement placement() const override {
    return config_.exactly_once ? Placement::one : Placement::each_worker;
  }
  bool transactional() const override { return config_.exactly_once; }
  std::string describe() const override {
    return fmt::format("topic {} at {}{}", config_.topic.text, producer_.client.brokers,
                       config_.exactly_once ? ", in transactions with the offsets" : "");
  }
  Result<std::unique_ptr<Sink>> open(SinkContext context) const override {
    if (config_.exactly_once) {
      auto transaction = kafka::KafkaTransaction::of(producer_, context);
      if (!transaction) return tl::unexpected(std::move(transaction).error());
      auto producer = (*transaction)->producer();
      return std::make_unique<KafkaSink>(shape_, std::move(producer), std::move(*transaction));
    }
    auto producer =
        kafka::Producer::shared_one(producer_, *context.shared, *context.clock, context.log);
    if (!producer) return tl::unexpected(std::move(producer).error());
    return std::make_unique<KafkaSink>(shape_, std::move(*producer), nullptr);
  }
  std::span<const SentField> sent_fields() const override { return kKafkaSent; }
  std::unique_ptr<Rendering> rendering(const SinkContext&) const override {
    return kafka_rendering(shape_, producer_);
  }

 private:
  KafkaSinkConfig config_;
  kafka::ProducerOptions producer_;
  expr::Template topic_;
  std::optional<expr::Template> key_;
  std::optional<expr::Template> message_;
  KafkaShape shape_;
};

void check_topic(const expr::Template& topic, const ConfigNode& at, Diagnostics& problems) {
  const std::string prefix(topic.literal_prefix());
  if (prefix.empty())
    problems.error("literal-prefix", at.place,
                   "a topic made from fields must begin with plain text",
                   "put a prefix in front of it, such as alerts-{{ … }}, so that no record can "
                   "choose another topic");
  else if (!kafka::is_topic_name(prefix) && prefix != "." && prefix != "..")
    problems.error("bad-topic", at.place, "this can't be the name of a topic",
                   "topics have 1 to 249 letters, digits, dots, dashes and underscores");
}

std::unique_ptr<SinkPlan> make_kafka_sink(KafkaSinkConfig config, const ConfigNode& node,
                                          Diagnostics& problems) {
  kafka::ProducerOptions options;
  options.client.brokers = kafka::read_brokers(config.brokers, *node.find("brokers"), problems);
  options.linger = config.linger;
  options.compression = FieldType<Compression>::show(config.compression);
  kafka::read_properties(config.options, kafka::Role::producer, options.client, problems);
  if (config.exactly_once)
    for (const auto& [name, value] : options.client.properties)
      if (name == "enable.idempotence" && value != "true")
        problems.error("refused-property", config.options.place,
                       "exactly_once needs enable.idempotence");
  auto topic = expr::Template::parse(config.topic, problems);
  if (topic) check_topic(*topic, *node.find("topic"), problems);
  std::optional<expr::Template> key, message;
  if (config.key) key = expr::Template::parse(*config.key, problems);
  if (config.message) message = expr::Template::parse(*config.message, problems);
  if (!topic) return nullptr;
  return std::make_unique<KafkaSinkPlan>(std::move(config), std::move(options), std::move(*topic),
                                         std::move(key), std::move(message));
}

}  // namespace

void add_kafka_sink(Registry& registry) {
  using C = KafkaSinkConfig;
  registry.add_sink(
      Spec<C>("kafka")
          .summary("Writes records to topics of a Kafka cluster.")
          .details(
              "Without `exactly_once` a checkpoint waits until Kafka has confirmed every record "
              "before it; after a crash the records since the last checkpoint are written again. "
              "With it, the records of a checkpoint, the offsets of Kafka sources on the same "
              "cluster and the number of the checkpoint become visible in one transaction "
              "(`transactional.id` = `streamd-<pipeline>-<id of the state directory>`); readers "
              "need "
              "`isolation.level=read_committed`, and see new records with each checkpoint. All "
              "exactly-once sinks of a pipeline use one cluster and the same options. A "
              "transaction "
              "may stay open for five minutes: a longer outage in its middle costs it, and the "
              "process "
              "goes on at the last committed checkpoint.\n\n"
              "A record whose topic, key or message can't be made, or that is larger than "
              "`message.max.bytes` of the options, becomes a dead letter. Records for a topic that "
              "does not exist wait for it." +
              sent_details(kKafkaSent))
          .promise("at least once; exactly once with exactly_once: true")
          .field(&C::brokers, {.name = "brokers",
                               .help = "Where the cluster is: host:port, one or several.",
                               .required = true,
                               .examples = {"localhost:9092"}})
          .field(&C::topic,
                 {.name = "topic",
                  .help = "The topic. May hold {{ expressions }} after a plain beginning.",
                  .required = true,
                  .examples = {"alerts", "'alerts-{{ country }}'"}})
          .field(&C::key, {.name = "key",
                           .help = "Key of each record, decides its partition like Java's clients "
                                   "do. Without it partitions take turns.",
                           .examples = {"'{{ client_ip }}'"}})
          .field(&C::message,
                 {.name = "message",
                  .help = "Text with {{ expressions }} to write instead of the record as JSON.",
                  .examples = {"'{{ client_ip }}: {{ requests }}'"}})
          .field(&C::exactly_once,
                 {.name = "exactly_once",
                  .help = "Write in transactions, together with the offsets that were read."})
          .field(&C::time_format,
                 {.name = "time_format",
                  .help = "How JSON shows timestamps: RFC 3339 text, or seconds since 1970."})
          .field(&C::compression,
                 {.name = "compression", .help = "How batches are compressed.", .advanced = true})
          .field(&C::linger, {.name = "linger",
                              .help = "How long a record may wait for others to fill a batch.",
                              .advanced = true,
                              .examples = {"50ms"}})
          .field(&C::options,
                 {.name = "options",
                  .help = "librdkafka's own properties (TLS, SASL, limits); they win over "
                          "streamd's settings.",
                  .advanced = true,
                  .examples = {"{security.protocol: SSL, ssl.ca.location: /etc/ssl/kafka.pem}"}})
          .rule("brokers must name one",
                [](const C& c) {
                  return !c.brokers.empty() &&
                         std::none_of(c.brokers.begin(), c.brokers.end(),
                                      [](const auto& b) { return b.empty(); });
                })
          .rule("linger must be between 0 and 15m",
                [](const C& c) {
                  return c.linger >= Duration{} && c.linger <= Duration::from_seconds(900);
                })
          .example("Alerts", "brokers: localhost:9092\ntopic: goal1-topic")
          .example("By country, exactly once",
                   "brokers: localhost:9092\ntopic: 'requests-{{ country }}'\n"
                   "key: '{{ client_ip }}'\nexactly_once: true"),
      make_kafka_sink);
}

}  // namespace streamd
