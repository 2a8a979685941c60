// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/stand_ins.h"

#include "engine/codec/encode.h"
#include "engine/match/indicator_list.h"
#include "engine/testing/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace streamd::testing {
namespace {

class GivenListLoader final : public ListLoader {
 public:
  GivenListLoader(std::shared_ptr<const EntryList> entries, std::uint64_t seed)
      : entries_(std::move(entries)), seed_(seed) {}
  Result<ListUpdate> load(std::stop_token) override {
    ListUpdate update;
    update.list = build_list(*entries_, seed_);
    return update;
  }

 private:
  const std::shared_ptr<const EntryList> entries_;
  const std::uint64_t seed_;
};

class GivenListPlan final : public ListPlan {
 public:
  GivenListPlan(std::shared_ptr<const EntryList> entries, IndicatorFields fields)
      : entries_(std::move(entries)), fields_(fields) {}
  std::string describe() const override { return "entries of a test"; }
  IndicatorFields fields() const override { return fields_; }
  Duration refresh() const override { return {}; }
  Result<std::unique_ptr<ListLoader>> open(ListContext context) const override {
    return std::make_unique<GivenListLoader>(entries_, context.hash_seed);
  }

 private:
  const std::shared_ptr<const EntryList> entries_;
  const IndicatorFields fields_;
};

bool fits(const ServiceAnswer& answer, const std::string& target) {
  if (answer.path.empty()) return answer.key.empty();
  if (answer.path.back() == '*')
    return target.starts_with(std::string_view(answer.path).substr(0, answer.path.size() - 1));
  return target == answer.path;
}

}  // namespace

std::shared_ptr<const IndicatorList> build_list(const EntryList& entries, std::uint64_t seed) {
  IndicatorListBuilder builder(seed);
  for (const auto& entry : entries.entries) {
    IndicatorInfo info;
    info.type = entry.type;
    info.scenario = entry.scenario;
    info.origin = entry.origin;
    info.scope = entry.scope;
    info.source = entry.source;
    info.tags = entry.tags;
    info.has_score = entry.score.has_value();
    info.score = entry.score.value_or(0);
    builder.add({.value = entry.value, .comment = entry.comment, .info = builder.info(info)});
  }
  return builder.build();
}

std::unique_ptr<ListPlan> given_list(std::shared_ptr<const EntryList> entries,
                                     IndicatorFields fields) {
  return std::make_unique<GivenListPlan>(std::move(entries), fields);
}

void Answers::set(const std::string& node, const std::vector<ServiceAnswer>& answers) {
  const std::lock_guard lock(mutex_);
  auto& own = answers_[node];
  own.clear();
  for (const auto& answer : answers) own.push_back({answer, 0});
}

StandIn::Answer Answers::ask(const std::string& node, const std::string& target) {
  const std::lock_guard lock(mutex_);
  for (auto& [answer, used] : answers_[node]) {
    if (!fits(answer, target) || (answer.times > 0 && used == answer.times)) continue;
    ++used;
    StandIn::Answer given;
    given.status = static_cast<int>(answer.status);
    given.body = answer.json ? json_of(*answer.json) : answer.text;
    given.retry_after = answer.retry_after;
    given.reachable = !answer.unreachable;
    return given;
  }
  const std::string question = fmt::format("enrich \"{}\" asks GET {}", node, target);
  if (std::find(unanswered_.begin(), unanswered_.end(), question) == unanswered_.end())
    unanswered_.push_back(question);
  return {.status = 404};
}

// nullopt: the test file says nothing of this one.
std::optional<std::string> Answers::file_of(const std::string& node) {
  const std::lock_guard lock(mutex_);
  const auto own = answers_.find(node);
  if (own == answers_.end()) return std::nullopt;
  std::string lines = fmt::format("{{\"{}\":\"\"}}\n", StandIn::kKey);
  for (const auto& [answer, used] : own->second) {
    if (answer.key.empty()) continue;
    lines += fmt::format("{{\"{}\":", StandIn::kKey);
    append_json_string(answer.key, lines);
    std::string entry = answer.json ? json_of(*answer.json) : std::string("{}");
    if (entry.size() > 2 && entry.front() == '{') lines += "," + entry.substr(1, entry.size() - 2);
    lines += "}\n";
  }
  return lines;
}

std::shared_ptr<StandIn> Answers::stand_in(std::shared_ptr<Answers> answers) {
  auto made = std::make_shared<StandIn>();
  made->service = [answers](const std::string& node, const std::string& target) {
    return answers->ask(node, target);
  };
  made->file = [answers](const std::string& node) { return answers->file_of(node); };
  return made;
}

std::vector<std::string> Answers::take_unanswered() {
  const std::lock_guard lock(mutex_);
  return std::exchange(unanswered_, {});
}

}  // namespace streamd::testing
