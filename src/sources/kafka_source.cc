// SPDX-License-Identifier: Apache-2.0
#include "engine/api/registry.h"
#include "engine/io/kafka/consumer_group.h"
#include "engine/io/kafka/position.h"
#include "sources/builtin_sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace streamd {
namespace {

enum class StartAt { earliest, latest };
enum class Fetch { direct, librdkafka };

}  // namespace

template <>
struct EnumNames<StartAt> {
  static constexpr std::array<std::pair<StartAt, std::string_view>, 2> values = {
      {{StartAt::earliest, "earliest"}, {StartAt::latest, "latest"}}};
};

template <>
struct EnumNames<Fetch> {
  static constexpr std::array<std::pair<Fetch, std::string_view>, 2> values = {
      {{Fetch::direct, "direct"}, {Fetch::librdkafka, "librdkafka"}}};
};

namespace {

struct KafkaSourceConfig {
  std::vector<std::string> brokers;
  std::vector<std::string> topics;
  std::string group;
  StartAt from = StartAt::earliest;
  bool until_end = false;
  ByteSize prefetch{std::uint64_t{64} << 20};
  Fetch fetch = Fetch::direct;
  ConfigNode options;
  std::optional<Duration> retention;
  std::vector<std::string> partitioned_by;  // read by plan/warnings.cc
};

class KafkaSource final : public Source {
 public:
  explicit KafkaSource(std::shared_ptr<kafka::ConsumerGroup> group) : group_(std::move(group)) {}
  ~KafkaSource() override { group_->close(); }
  Result<std::unique_ptr<Reader>> reader(unsigned worker) override {
    return group_->reader(worker);
  }
  Status acknowledge(Epoch, const Positions& positions) override {
    return group_->acknowledge(positions);
  }
  void close() noexcept override { group_->close(); }

 private:
  std::shared_ptr<kafka::ConsumerGroup> group_;
};

class KafkaSourcePlan final : public SourcePlan {
 public:
  explicit KafkaSourcePlan(kafka::GroupOptions options) : options_(std::move(options)) {}

  bool bounded() const override { return options_.until_end; }
  std::string describe() const override {
    std::string topics;
    for (const auto& topic : options_.topics) topics += (topics.empty() ? "" : ", ") + topic;
    return fmt::format("topic{} {} at {}, group {}{}", options_.topics.size() > 1 ? "s" : "",
                       topics, options_.client.brokers,
                       options_.group.empty() ? "streamd-<pipeline>-<source>" : options_.group,
                       options_.until_end ? ", until the end offsets seen at the start" : "");
  }
  Result<std::unique_ptr<Source>> open(SourceContext context) const override {
    kafka::GroupOptions options = options_;
    if (options.group.empty())
      options.group = fmt::format("streamd-{}-{}", context.pipeline, context.node);
    auto group = kafka::ConsumerGroup::open(std::move(options), std::move(context));
    if (!group) return tl::unexpected(std::move(group).error());
    return std::make_unique<KafkaSource>(std::move(*group));
  }

 private:
  kafka::GroupOptions options_;
};

void check_topics(const KafkaSourceConfig& config, const ConfigNode& node, Diagnostics& problems) {
  const ConfigNode* list = node.find("topics");
  for (std::size_t i = 0; i < config.topics.size(); ++i) {
    const ConfigNode& at = list->shape == ConfigNode::Shape::list ? list->items[i] : *list;
    if (!kafka::is_topic_name(config.topics[i]))
      problems.error("bad-topic", at.place,
                     at.substituted ? "not a topic name"
                                    : fmt::format("\"{}\" is not a topic name", config.topics[i]),
                     "topics have 1 to 249 letters, digits, dots, dashes and underscores");
    else if (std::count(config.topics.begin(), config.topics.end(), config.topics[i]) > 1)
      problems.error("duplicate", at.place, "the topic is named twice");
  }
}

std::string refused_table() {
  std::string text =
      "`options` takes librdkafka's own properties (TLS, SASL, fetch sizes); they win over "
      "streamd's "
      "settings. Refused are:\n\n| property | why |\n|---|---|\n";
  for (const auto& [name, why] : kafka::refused_properties(kafka::Role::consumer))
    text += fmt::format("| `{}` | {} |\n", name, why);
  return text;
}

}  // namespace

void add_kafka_source(Registry& registry) {
  using C = KafkaSourceConfig;
  registry.add_source(
      Spec<C>("kafka")
          .summary("Reads topics of a Kafka cluster as a member of a consumer group.")
          .details(
              "Positions are part of each checkpoint. They are also committed to the group, so "
              "that "
              "lag shows and other members can take over; where both exist, the further one "
              "counts. "
              "Several processes of one group share the partitions (eager range assignment): "
              "before a "
              "partition goes away, a checkpoint commits what was read of it.\n\n"
              "A topic that does not exist yet and partitions that are added later are picked up "
              "within seconds. When the next offset was deleted before it was read, an error in "
              "the "
              "log says how many records are gone, and reading goes on at the earliest one. "
              "Records "
              "without a value (tombstones) and records longer than `max_record` become dead "
              "letters, a record batch whose checksum is wrong one for all of its records. Only "
              "committed records of transactions are read. A topic that was deleted "
              "and made anew is read from its beginning while it is shorter than the old one; "
              "where it has grown beyond, a warning says that the group has no offset any more, "
              "and at which one reading goes on.\n\n"
              "What operators keep stays with the process that read the records. When partitions "
              "move between processes, a window that is open comes out in parts, one of each "
              "process, and a partition that was behind may be late for windows that its new "
              "process has closed. Records that are passed on are written once.\n\n" +
              refused_table())
          .promise("exactly once into the pipeline's state: positions and state commit together")
          .field(&C::brokers, {.name = "brokers",
                               .help = "Where the cluster is: host:port, one or several.",
                               .required = true,
                               .examples = {"localhost:9092", "[kafka-1:9092, kafka-2:9092]"}})
          .field(&C::topics, {.name = "topics",
                              .help = "The topics to read.",
                              .required = true,
                              .examples = {"[nginx-access]"}})
          .field(&C::group, {.name = "group",
                             .help = "Consumer group. Without it: streamd-<pipeline>-<source>.",
                             .examples = {"streamd-nginx"}})
          .field(&C::from,
                 {.name = "from",
                  .help = "Where to begin when neither the state nor the group knows a position."})
          .field(
              &C::until_end,
              {.name = "until_end",
               .help = "Stop at the end offsets seen at the start, instead of waiting for more."})
          .field(&C::retention,
                 {.name = "retention",
                  .help = "How long the topics keep records, for `check`, which asks nobody: it "
                          "warns of windows that are longer, since after a long pause they would "
                          "be incomplete. A run asks the cluster and warns by itself.",
                  .examples = {"7d"}})
          .field(&C::partitioned_by,
                 {.name = "partitioned_by",
                  .help = "The fields that the records' key is made of. Set it when several "
                          "processes share the group: `check` then warns of nodes whose `by` has "
                          "not all of them, since each process would see only a part of what they "
                          "count. A run that finds others in its group and does not know the key "
                          "says so.",
                  .examples = {"[client_ip]"}})
          .field(&C::prefetch,
                 {.name = "prefetch",
                  .help = "How many bytes may be fetched ahead, for all workers together. With "
                          "`fetch: direct` at most 4 MiB from each broker for each of them, with "
                          "librdkafka at most 100,000 records.",
                  .advanced = true,
                  .examples = {"256MiB"}})
          .field(&C::fetch,
                 {.name = "fetch",
                  .help = "Who fetches the records. `direct`: streamd itself, for two fifths of "
                          "librdkafka's CPU; where `options` hold more than the group's own "
                          "properties (TLS, SASL, fetch sizes), and where a topic has records that "
                          "were written before Kafka 0.11 or its own compression.type is zstd, "
                          "librdkafka does it all the same.",
                  .advanced = true})
          .field(&C::options,
                 {.name = "options",
                  .help = "librdkafka's own properties.",
                  .advanced = true,
                  .examples = {"{security.protocol: SASL_SSL, sasl.mechanism: PLAIN, "
                               "sasl.username: streamd, sasl.password: \"${KAFKA_PASSWORD}\"}"}})
          .rule("brokers must name one",
                [](const C& c) {
                  return !c.brokers.empty() &&
                         std::none_of(c.brokers.begin(), c.brokers.end(),
                                      [](const auto& b) { return b.empty(); });
                })
          .rule("topics must name one", [](const C& c) { return !c.topics.empty(); })
          .rule("prefetch must be at least 1MiB",
                [](const C& c) { return c.prefetch.bytes >= (1u << 20); })
          .example("All of a topic, and then what comes",
                   "brokers: localhost:9092\ntopics: [nginx-access]\ngroup: streamd-nginx"),
      [](C config, const ConfigNode& node, Diagnostics& problems) -> std::unique_ptr<SourcePlan> {
        const std::size_t before = problems.errors();
        kafka::GroupOptions options;
        options.client.brokers =
            kafka::read_brokers(config.brokers, *node.find("brokers"), problems);
        options.topics = config.topics;
        options.group = config.group;
        options.from_latest = config.from == StartAt::latest;
        options.until_end = config.until_end;
        options.prefetch_bytes = config.prefetch.bytes;
        options.direct = config.fetch == Fetch::direct;
        options.retention = config.retention;
        options.partitioning_known = !config.partitioned_by.empty();
        check_topics(config, node, problems);
        kafka::read_properties(config.options, kafka::Role::consumer, options.client, problems);
        if (problems.errors() > before) return nullptr;
        return std::make_unique<KafkaSourcePlan>(std::move(options));
      });
}

}  // namespace streamd
