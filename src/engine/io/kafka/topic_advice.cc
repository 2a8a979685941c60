// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/topic_advice.h"

#include "engine/api/field_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>
#include <vector>

namespace streamd::kafka {
namespace {

constexpr int kAnswerLimitMs = 10'000;
constexpr int kAskLimitMs = 1000;
constexpr std::size_t kNodesNamed = 3;

using Resource =
    std::unique_ptr<rd_kafka_ConfigResource_t, Destroy<rd_kafka_ConfigResource_destroy>>;
using AdminOptions =
    std::unique_ptr<rd_kafka_AdminOptions_t, Destroy<rd_kafka_AdminOptions_destroy>>;

// Partitions alone would not do: new ones belong to nobody for some seconds.
bool has_other_members(rd_kafka_t* client, const std::string& group) {
  const struct rd_kafka_group_list* list = nullptr;
  if (rd_kafka_list_groups(client, group.c_str(), &list, kAskLimitMs) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return false;
  const bool others = list->group_cnt == 1 && list->groups[0].member_cnt > 1;
  rd_kafka_group_list_destroy(list);
  return others;
}

// None: for ever, or until there is too much.
std::optional<Duration> kept_by_time(const rd_kafka_ConfigResource_t& topic) {
  std::size_t count = 0;
  const rd_kafka_ConfigEntry_t** entries = rd_kafka_ConfigResource_configs(&topic, &count);
  std::optional<Duration> kept;
  for (std::size_t i = 0; i < count; ++i) {
    const char* value = rd_kafka_ConfigEntry_value(entries[i]);
    if (value == nullptr) continue;
    const std::string_view name = rd_kafka_ConfigEntry_name(entries[i]), text = value;
    if (name == "cleanup.policy" && text.find("delete") == std::string_view::npos)
      return std::nullopt;
    std::int64_t ms = -1;
    if (name != "retention.ms" ||
        std::from_chars(text.data(), text.data() + text.size(), ms).ec != std::errc())
      continue;
    if (ms >= 0 && ms < std::numeric_limits<std::int64_t>::max() / 1000)
      kept = Duration::from_millis(ms);
  }
  return kept;
}

std::string named(const std::vector<std::string>& nodes) {
  const std::size_t shown = std::min(nodes.size(), kNodesNamed);
  std::string text;
  for (std::size_t i = 0; i < shown; ++i)
    text += fmt::format("{}\"{}\"", i == 0 ? "" : i + 1 == nodes.size() ? " and " : ", ", nodes[i]);
  if (nodes.size() > shown) text += fmt::format(" and {} more", nodes.size() - shown);
  return text;
}

}  // namespace

void TopicAdvice::assigned(const rd_kafka_topic_partition_list_t& partitions,
                           const std::shared_ptr<Client>& client) {
  client_ = client;
  if (!asked_) ask_retention();
  const bool counted = std::any_of(context_.uses.begin(), context_.uses.end(),
                                   [](const SourceUse& use) { return use.keys.has_value(); });
  if (counted && !split_told_ && !options_.partitioning_known && partitions.cnt > 0)
    here_.reset(rd_kafka_topic_partition_list_copy(&partitions));
}

void TopicAdvice::ask_retention() {
  asked_ = true;
  if (std::none_of(context_.uses.begin(), context_.uses.end(),
                   [](const SourceUse& use) { return use.span.has_value(); }))
    return;
  answers_.reset(rd_kafka_queue_new(client_->get()));
  std::vector<Resource> topics;
  std::vector<rd_kafka_ConfigResource_t*> handles;
  for (const auto& topic : options_.topics) {
    topics.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
    handles.push_back(topics.back().get());
  }
  const AdminOptions limits(
      rd_kafka_AdminOptions_new(client_->get(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS));
  rd_kafka_AdminOptions_set_request_timeout(limits.get(), kAnswerLimitMs, nullptr, 0);
  rd_kafka_DescribeConfigs(client_->get(), handles.data(), handles.size(), limits.get(),
                           answers_.get());
}

void TopicAdvice::serve() {
  if (here_) tell_split();
  if (!answers_) return;
  const EventPtr event(rd_kafka_queue_poll(answers_.get(), 0));
  if (!event) return;
  const auto* result = rd_kafka_event_DescribeConfigs_result(event.get());
  if (result != nullptr && rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    std::size_t count = 0;
    const auto** topics = rd_kafka_DescribeConfigs_result_resources(result, &count);
    for (std::size_t i = 0; i < count; ++i) tell_retention(*topics[i]);
  }
  answers_.reset();
}

void TopicAdvice::tell_retention(const rd_kafka_ConfigResource_t& topic) const {
  if (rd_kafka_ConfigResource_error(&topic) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const auto kept = kept_by_time(topic);
  if (!kept || (options_.retention && *options_.retention <= *kept)) return;
  std::vector<std::string> nodes;
  Duration longest;
  for (const auto& use : context_.uses)
    if (use.span && *use.span > *kept) {
      nodes.push_back(use.node);
      longest = std::max(longest, *use.span);
    }
  if (nodes.empty()) return;
  context_.log(
      1, fmt::format("topic \"{}\" keeps records for {}, and windows of {} need them for up to {}: "
                     "after a longer pause, or without the state, they would be incomplete. Raise "
                     "the topic's retention.ms, or shorten the windows",
                     rd_kafka_ConfigResource_name(&topic), format_duration(*kept), named(nodes),
                     format_duration(longest)));
}

// Which of its fields a topic is partitioned by nobody can ask: whoever writes it decides.
void TopicAdvice::tell_split() {
  const PartitionList here = std::move(here_);
  for (const auto& topic : options_.topics) {
    const auto all = partition_count(client_->get(), topic, kAskLimitMs);
    int mine = 0;
    for (int i = 0; i < here->cnt; ++i) mine += topic == here->elems[i].topic ? 1 : 0;
    if (!all || mine >= *all || !has_other_members(client_->get(), options_.group)) continue;
    std::vector<std::string> nodes;
    for (const auto& use : context_.uses)
      if (use.keys) nodes.push_back(use.node);
    split_told_ = true;
    return context_.log(
        1, fmt::format("{} of the {} partitions of topic \"{}\" are read here, the others by other "
                       "members of the group. What {} count is whole only if all records of a key "
                       "are in one partition: say what the topic's key is made of "
                       "(partitioned_by: [field]), and `check` compares",
                       mine, *all, topic, named(nodes)));
  }
}

void TopicAdvice::give_up() {
  here_.reset();
  answers_.reset();
  client_.reset();
}

}  // namespace streamd::kafka
