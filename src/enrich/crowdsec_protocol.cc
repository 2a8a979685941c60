// SPDX-License-Identifier: Apache-2.0
#include "enrich/crowdsec_protocol.h"

#include "engine/codec/utf8.h"
#include "engine/expr/json_reader.h"
#include "engine/expr/network.h"
#include "engine/expr/time_text.h"
#include "engine/match/address.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

namespace streamd::enrich {
namespace {

constexpr const char* kUrl = "http://127.0.0.1:8080";
constexpr const char* kIsItThere = "is url that of CrowdSec's local API?";

struct Judgement {
  Value decision;
  bool bans = false;
  EventTime until = EventTime::max();  // of those that say no time
  bool operator<(const Judgement& other) const {
    return std::tie(bans, until) < std::tie(other.bans, other.until);
  }
};

Value text_of(const Value& decision, std::string_view name) {
  const Value value = expr::member(decision, name);
  return value.is(Kind::string) ? value : Value::missing();
}

EventTime end_of(const Value& decision, EventTime wall) {
  if (const Value left = text_of(decision, "duration"); left.is(Kind::string))
    if (const auto nanos = expr::parse_nanos(left.text())) return wall + Duration{*nanos / 1000};
  if (const Value at = text_of(decision, "until"); at.is(Kind::string))
    if (const auto until = expr::parse_timestamp(at.text())) return until->as_time();
  return EventTime::max();
}

bool is_ban(const Value& type) {
  constexpr std::string_view kBan = "ban";
  return type.is(Kind::string) && type.size() == kBan.size() &&
         std::equal(kBan.begin(), kBan.end(), type.text().begin(),
                    [](char a, char b) { return a == (b | 0x20); });
}

Value value_of(const Judgement& chosen, Decision wanted, std::int64_t count, Arena& arena) {
  switch (wanted) {
    case Decision::count: return Value::int64(count);
    case Decision::until:
      return chosen.until == EventTime::max() ? Value::missing() : Value::timestamp(chosen.until);
    default: {
      const Value text = text_of(chosen.decision, kDecisionNames[static_cast<std::size_t>(wanted)]);
      return text.absent() ? text : Value::string(arena.copy(text.text()));
    }
  }
}

Decision decision_of(std::string_view name) {
  const auto at = std::find(kDecisionNames.begin(), kDecisionNames.end(), name);
  return static_cast<Decision>(at - kDecisionNames.begin());
}

std::string text_of(const IpAddress& address) {
  std::string octets;
  for (unsigned shift = address.width(); shift > 0;)
    octets += static_cast<char>(static_cast<unsigned char>(address.bits >> (shift -= 8)));
  std::string text;
  expr::append_ip(octets, text);
  return text;
}

// With or without the version in the URL.
http::Url decisions_url(const Config& config) {
  const auto base = http::Url::parse(config.url ? config.url->text : kUrl);
  if (!base) return {};
  const bool versioned = base->path().ends_with("/v1") || base->path().ends_with("/v1/");
  return base->below(versioned ? "decisions" : "v1/decisions");
}

class CrowdsecProtocol final : public Protocol {
 public:
  explicit CrowdsecProtocol(const Config& config) : url_(decisions_url(config)) {
    for (const auto& [name, from] : config.fields) wanted_.push_back(decision_of(from));
    far_side_ = "CrowdSec's local API at " + url_.host_port();
  }

  const std::string& far_side() const override { return far_side_; }

  // What is no address would get an answer about something else, or an error.
  std::optional<http::Url> url_of(const Batch&, Question& question) const override {
    const auto address = parse_address(question.key);
    if (address)
      return url_.with_target(http::with_query(url_.target, {{"ip", text_of(*address)}}));
    nothing(question);
    return std::nullopt;
  }

  Status read(const http::Response& response, EventTime wall, Question& question) const override {
    const int status = response.status;
    const auto never = [](std::string message, std::string hint) {
      return fail(ErrorKind::external, std::move(message), std::move(hint));
    };
    if (status == 200) {
      if (auto read = read_decisions(response, wall, wanted_, question); !read)
        return in_context(std::move(read).error(), far_side_);
      return {};
    }
    if (status == 401 || status == 403)
      return never(fmt::format("{} refuses the key ({})", far_side_, status),
                   "make one on its host with: cscli bouncers add streamd, and set api_key");
    if (status == 404 || status == 405)
      return never(fmt::format("{} is none: it answers {}", far_side_, status),
                   "set url, like http://127.0.0.1:8080");
    const std::string words = words_of(response);
    const std::string told =
        fmt::format("{} answers {}{}{}", far_side_, status, words.empty() ? "" : ": ", words);
    if (status == 400) return refused(question, told);
    return fail_for_now(told);
  }

 private:
  const http::Url url_;
  std::vector<Decision> wanted_;
  std::string far_side_;
};

}  // namespace

void check_crowdsec(const Config& config, const ConfigNode& node, Diagnostics& problems) {
  if (config.url) {
    if (auto url = http::Url::parse(config.url->text); !url)
      problems.error("bad-url", config.url->where.place, url.error().message, url.error().hint);
    else if (config.url->text.find("{{") != std::string::npos)
      problems.error("bad-url", config.url->where.place,
                     "the url of kind: crowdsec holds no {{ }}: field says what is asked for",
                     "set url, like http://127.0.0.1:8080");
  }
  const ConfigNode* fields = node.find("fields");
  if (fields == nullptr) return;
  const std::vector<std::string> known(kDecisionNames.begin(), kDecisionNames.end());
  for (const auto& [name, from] : fields->entries)
    if (std::find(known.begin(), known.end(), from.text) == known.end())
      report_choice(from, known, problems);
}

std::unique_ptr<Protocol> make_crowdsec_protocol(const Config& config) {
  return std::make_unique<CrowdsecProtocol>(config);
}

Status read_decisions(const http::Response& response, EventTime wall,
                      const std::vector<Decision>& wanted, Question& question) {
  const std::string_view body = response.body;
  thread_local Arena scratch(64 * 1024);
  scratch.clear();
  const Value root = is_utf8(body) ? expr::read_json(body, scratch) : Value::error("");
  if (root.is(Kind::null)) return nothing(question);
  if (!root.is(Kind::list))
    return fail_for_now(fmt::format("it answers with no list of decisions: {}", words_of(response)),
                        kIsItThere);
  std::optional<Judgement> chosen;
  std::int64_t count = 0;
  for (std::uint32_t i = 0; i < root.size(); ++i) {
    const Value& decision = root.items()[i];
    const Value type = text_of(decision, "type");
    if (!type.is(Kind::string))
      return fail_for_now("it answers with something else than decisions", kIsItThere);
    const Value simulated = expr::member(decision, "simulated");
    const Judgement judgement{decision, is_ban(type), end_of(decision, wall)};
    if ((simulated.is(Kind::boolean) && simulated.as_bool()) || judgement.until <= wall) continue;
    ++count;
    if (!chosen || *chosen < judgement) chosen = judgement;
  }
  if (!chosen) return nothing(question);
  question.verdict = Verdict::found;
  for (std::size_t f = 0; f < wanted.size(); ++f)
    question.values[f] = value_of(*chosen, wanted[f], count, question.arena);
  return {};
}

}  // namespace streamd::enrich
