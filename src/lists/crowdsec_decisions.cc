// SPDX-License-Identifier: Apache-2.0
#include "lists/crowdsec_decisions.h"

#include "engine/api/field_type.h"
#include "engine/core/arena.h"
#include "engine/expr/json_reader.h"
#include "engine/expr/time_text.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace streamd::crowdsec {
namespace {

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return out;
}

// Of a map; missing when it has no such key.
std::string_view text_of(const Value& map, std::string_view key) {
  const Value value = expr::member(map, key);
  return value.is(Kind::string) ? value.text() : std::string_view{};
}

std::optional<EventTime> end_of(const Value& decision, EventTime now) {
  if (const auto nanos = expr::parse_nanos(text_of(decision, "duration")))
    return now + Duration{*nanos / 1000};
  const auto until = expr::parse_timestamp(text_of(decision, "until"));
  return until ? std::optional(until->as_time()) : std::nullopt;
}

std::optional<DecisionKey> key_of(const Value& decision) {
  if (!decision.is(Kind::map)) return std::nullopt;
  DecisionKey key{lowered(text_of(decision, "scope")), std::string(text_of(decision, "value")),
                  std::string(text_of(decision, "type"))};
  if (key.scope.empty() || key.value.empty() || key.type.empty()) return std::nullopt;
  return key;
}

void read_added(const Value& decision, EventTime now, Reply& reply) {
  auto key = key_of(decision);
  const auto ends = key ? end_of(decision, now) : std::nullopt;
  if (!ends) {
    ++reply.unusable;
    return;
  }
  const Value simulated = expr::member(decision, "simulated");
  if (*ends <= now || (simulated.is(Kind::boolean) && simulated.as_bool())) return;
  reply.added.emplace_back(
      std::move(*key),
      Decision{std::string(text_of(decision, "scope")), std::string(text_of(decision, "origin")),
               std::string(text_of(decision, "scenario")), *ends});
}

bool is_one_of(const std::vector<std::string>& names, std::string_view name) {
  return names.empty() || std::any_of(names.begin(), names.end(), [&](const std::string& n) {
           return lowered(n) == lowered(name);
         });
}

tl::unexpected<Error> no_stream(std::string message) {
  return fail_for_now(std::move(message), "is url that of CrowdSec's local API?");
}

}  // namespace

Result<Reply> read_reply(std::string_view json, EventTime now) {
  Arena arena(1 << 20);
  const Value root = expr::read_json(json, arena);
  if (root.is(Kind::error)) return no_stream("the reply is no JSON, or not all of it came");
  if (!root.is(Kind::map)) return no_stream("the reply is no stream of decisions");
  const Value added = expr::member(root, "new"), deleted = expr::member(root, "deleted");
  const auto is_list = [](const Value& v) { return v.absent() || v.is(Kind::list); };
  if (!is_list(added) || !is_list(deleted) || root.size() == 0 ||
      (added.is(Kind::missing) && deleted.is(Kind::missing)))
    return no_stream("the reply is no stream of decisions");
  Reply reply;
  if (added.is(Kind::list))
    for (std::uint32_t i = 0; i < added.size(); ++i) read_added(added.items()[i], now, reply);
  if (!deleted.is(Kind::list)) return reply;
  for (std::uint32_t i = 0; i < deleted.size(); ++i) {
    if (auto key = key_of(deleted.items()[i]))
      reply.deleted.push_back(std::move(*key));
    else
      ++reply.unusable;
  }
  return reply;
}

void DecisionTable::replace(Reply reply) {
  decisions_.clear();
  reply.deleted.clear();
  change(std::move(reply));
}

void DecisionTable::change(Reply reply) {
  for (const auto& key : reply.deleted) decisions_.erase(key);
  for (auto& [key, decision] : reply.added) {
    const auto [at, is_new] = decisions_.try_emplace(key, decision);
    // The same one twice in a reply: the longer one, as the local API itself would choose.
    if (!is_new && at->second.expires < decision.expires) at->second = std::move(decision);
  }
}

void DecisionTable::expire(EventTime now) {
  std::erase_if(decisions_, [&](const auto& entry) { return entry.second.expires <= now; });
}

std::shared_ptr<const IndicatorList> DecisionTable::list(const Filter& filter,
                                                         std::uint64_t hash_seed,
                                                         std::size_t& unusable) const {
  IndicatorListBuilder builder(hash_seed);
  for (const auto& [key, decision] : decisions_) {
    if (!is_one_of(filter.scopes, key.scope) || !is_one_of(filter.origins, decision.origin) ||
        !is_one_of(filter.types, key.type))
      continue;
    const bool address = key.scope == "ip" || key.scope == "range";
    const auto info = builder.info({.type = key.type,
                                    .scenario = decision.scenario,
                                    .origin = decision.origin,
                                    .scope = decision.scope});
    const auto why = builder.add({.value = key.value,
                                  .kind = address ? IndicatorKind::address : IndicatorKind::text,
                                  .info = info,
                                  .expires = decision.expires});
    if (!why.empty()) ++unusable;
  }
  return builder.build();
}

std::string DecisionTable::save() const {
  std::string out = R"({"new":[)";
  for (const auto& [key, decision] : decisions_) {
    if (out.back() != '[') out += ',';
    out += "\n{\"scope\":" + json_quote(decision.scope) + ",\"value\":" + json_quote(key.value) +
           ",\"type\":" + json_quote(key.type) + ",\"origin\":" + json_quote(decision.origin) +
           ",\"scenario\":" + json_quote(decision.scenario) + ",\"until\":\"";
    expr::append_timestamp(std::min(decision.expires, expr::kMaxTimestamp), 0, out);
    out += "\"}";
  }
  return out + "],\"deleted\":[]}\n";
}

}  // namespace streamd::crowdsec
