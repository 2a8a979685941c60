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

std::string body_of(const ServiceAnswer& answer) {
  if (answer.json) return json_of(*answer.json);
  std::string body = answer.text;
  for (const auto& line : answer.lines) {
    body += line.shape == ConfigNode::Shape::scalar ? line.text : json_of(line);
    body += '\n';
  }
  return body;
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

void Answers::set(const std::string& node, Place place, const AnswerList& answers) {
  const std::lock_guard lock(mutex_);
  Node& own = nodes_[node];
  own.answers.clear();
  for (const auto& answer : answers.items) own.answers.push_back({&answer, 0});
  own.place = place;
  ++own.set;
}

void Answers::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
}

bool Answers::closed(const std::string& node, std::uint64_t set) const {
  const std::lock_guard lock(mutex_);
  return nodes_.at(node).set != set;
}

StandIn::Answer Answers::ask(const std::shared_ptr<Answers>& self,
                             const StandIn::Question& question) {
  const std::lock_guard lock(self->mutex_);
  Node& own = self->nodes_[question.node];
  for (auto& [answer, used] : own.answers) {
    if (!fits(*answer, question.target) || (answer->times > 0 && used == answer->times)) continue;
    ++used;
    self->used_.insert(answer);
    StandIn::Answer given;
    given.status = static_cast<int>(answer->status);
    given.headers = answer->headers;
    given.body = body_of(*answer);
    given.retry_after = answer->retry_after;
    given.reachable = !answer->unreachable;
    given.closed = [self, node = question.node, set = own.set] { return self->closed(node, set); };
    return given;
  }
  Unanswered asked{question.node, question.method + " " + question.target, own.place};
  auto& told = self->unanswered_;
  const bool known = std::any_of(told.begin(), told.end(), [&](const Unanswered& other) {
    return other.node == asked.node && other.question == asked.question;
  });
  if (!known) told.push_back(std::move(asked));
  return {.status = 404, .known = false};
}

// nullopt: the test file says nothing of this one.
std::optional<std::string> Answers::file_of(const std::string& node) {
  const std::lock_guard lock(mutex_);
  const auto own = nodes_.find(node);
  if (own == nodes_.end()) return std::nullopt;
  std::string lines = fmt::format("{{\"{}\":\"\"}}\n", StandIn::kKey);
  for (const auto& [answer, used] : own->second.answers) {
    if (answer->key.empty()) continue;
    lines += fmt::format("{{\"{}\":", StandIn::kKey);
    append_json_string(answer->key, lines);
    std::string entry = answer->json ? json_of(*answer->json) : std::string("{}");
    if (entry.size() > 2 && entry.front() == '{') lines += "," + entry.substr(1, entry.size() - 2);
    lines += "}\n";
  }
  return lines;
}

std::shared_ptr<StandIn> Answers::stand_in(std::shared_ptr<Answers> answers) {
  auto made = std::make_shared<StandIn>();
  made->service = [answers](const StandIn::Question& question) { return ask(answers, question); };
  made->file = [answers](const std::string& node) { return answers->file_of(node); };
  made->ended = [answers] {
    const std::lock_guard lock(answers->mutex_);
    return answers->ended_;
  };
  made->rests = [answers](const std::string& node, Duration at) {
    const std::lock_guard lock(answers->mutex_);
    answers->resting_[node] = at;
  };
  return made;
}

std::vector<Answers::Unanswered> Answers::take_unanswered() {
  const std::lock_guard lock(mutex_);
  return std::exchange(unanswered_, {});
}

std::set<const ServiceAnswer*> Answers::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

std::map<std::string, Duration> Answers::resting() const {
  const std::lock_guard lock(mutex_);
  return resting_;
}

}  // namespace streamd::testing
