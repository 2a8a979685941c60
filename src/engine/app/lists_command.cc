// SPDX-License-Identifier: Apache-2.0
#include "engine/api/field_type.h"
#include "engine/api/list_names.h"
#include "engine/app/command_line.h"
#include "engine/app/commands.h"
#include "engine/app/load.h"
#include "engine/app/printable.h"
#include "engine/expr/time_text.h"
#include "engine/match/indicator_list.h"
#include "engine/runtime/list_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace streamd {
namespace {

// One list as it is now: read from what a pipeline reads, or from the copy of its last run.
struct Content {
  const PlanList* plan = nullptr;
  std::string pipeline;
  std::shared_ptr<const IndicatorList> list;  // null: `trouble` says why
  std::string remark, trouble;
  std::optional<ListStatus> status;  // of the last run
};

struct Contents {
  std::vector<Plan> jobs;
  std::vector<Content> lists;
  SystemClock clock;
};

bool is_on_a_server(const PlanList& list) { return list.type == "url" || list.type == "crowdsec"; }

void read(const ListsArguments& arguments, const std::string& dir, const Clock& clock,
          Content& into) {
  ListContext context;
  context.name = into.plan->name;
  context.pipeline = into.pipeline;
  context.state_dir = dir;
  context.clock = &clock;
  context.hash_seed = 1;
  // CrowdSec tells each key what has changed only once: asking here would take it from the run.
  context.offline = !(arguments.load && into.plan->type == "url");
  context.log = [&into](int, const std::string& text) { into.remark = text; };
  const auto loader = into.plan->plan->open(std::move(context));
  auto update = loader ? (*loader)->load({}) : Result<ListUpdate>(tl::unexpected(loader.error()));
  if (!update) {
    into.trouble = update.error().message;
    return;
  }
  into.list = std::move(update->list);
  if (!update->remark.empty()) into.remark = update->remark;
  if (update->trouble) into.trouble = update->trouble->message;
}

// A file is read here anew, even if its run has refused what it has become.
std::string trouble_of_run(const PlanList& list, const ListStatus& status) {
  if (status.trouble.empty() || is_on_a_server(list)) return status.trouble;
  return fmt::format("{}; the last run keeps the {} entries of before", status.trouble,
                     status.entries);
}

int open(const ListsArguments& arguments, const Registry& registry, Contents& into) {
  auto jobs = load_jobs(arguments.files, registry);
  if (!jobs) return kExitUsage;
  into.jobs = std::move(*jobs);
  for (const Plan& job : into.jobs) {
    const std::string dir = state_root(arguments.state_dir) + "/" + job.pipeline;
    for (const PlanList& list : job.lists) {
      if (!arguments.name.empty() && list.name != arguments.name) continue;
      Content content{&list, job.pipeline, nullptr, {}, {}, read_list_status(dir, list.name)};
      read(arguments, dir, into.clock, content);
      if (content.trouble.empty() && content.status && !arguments.load)
        content.trouble = trouble_of_run(list, *content.status);
      into.lists.push_back(std::move(content));
    }
  }
  return kExitDone;
}

std::string age_of(const Content& content, EventTime now) {
  if (!is_on_a_server(*content.plan) || !content.status) return content.list ? "now" : "-";
  const Duration age = now - content.status->loaded;
  const std::int64_t seconds = std::max<std::int64_t>(age.micros / 1'000'000, 0);
  if (seconds < 120) return fmt::format("{}s", seconds);
  if (seconds < 7200) return fmt::format("{}m", seconds / 60);
  return seconds < 172'800 ? fmt::format("{}h", seconds / 3600)
                           : fmt::format("{}d", seconds / 86'400);
}

std::string time_text(EventTime time) {
  std::string out;
  expr::append_timestamp(std::min(time, expr::kMaxTimestamp), 0, out);
  return out;
}

using Payload = std::vector<std::pair<std::string, std::string>>;

// What is known of an entry, each as its name and its text.
Payload payload_of(const Indicator& entry) {
  const IndicatorInfo& info = *entry.info;
  Payload out;
  const auto add = [&](const char* name, std::string_view text) {
    if (!text.empty()) out.emplace_back(name, text);
  };
  add("comment", entry.comment);
  add("type", info.type);
  add("scenario", info.scenario);
  add("origin", info.origin);
  add("scope", info.scope);
  add("source", info.source);
  add("tags", info.tags);
  if (info.has_score) add("score", fmt::format("{}", info.score));
  if (info.first_seen != EventTime::min()) add("first_seen", time_text(info.first_seen));
  if (info.last_seen != EventTime::min()) add("last_seen", time_text(info.last_seen));
  if (entry.expires != EventTime::max()) add("expires", time_text(entry.expires));
  return out;
}

std::string entry_json(const Content& content, const Indicator& entry) {
  std::string out = fmt::format("{{\"list\":{},\"indicator\":{}", json_quote(content.plan->name),
                                json_quote(entry.value));
  for (const auto& [name, text] : payload_of(entry))
    out += fmt::format(",\"{}\":{}", name, name == "score" ? text : json_quote(text));
  return out + "}";
}

std::string entry_line(const Indicator& entry) {
  std::string out = printable(entry.value);
  for (const auto& [name, text] : payload_of(entry))
    out += fmt::format("  {}: {}", name, printable(text));
  return out;
}

void tell_troubles(const Contents& contents) {
  for (const Content& content : contents.lists) {
    const std::string where = fmt::format("list \"{}\"", content.plan->name);
    if (!content.trouble.empty())
      fmt::print(stderr, "{}: {}: {}\n", content.list ? "warning" : "error", where,
                 content.trouble);
    if (!content.remark.empty()) fmt::print(stderr, "warning: {}: {}\n", where, content.remark);
  }
}

std::string status_json(const Content& content, EventTime now) {
  const bool known = is_on_a_server(*content.plan) && content.status;
  std::string out =
      fmt::format("{{\"list\":{},\"type\":{},\"pipeline\":{},\"source\":{}",
                  json_quote(content.plan->name), json_quote(content.plan->type),
                  json_quote(content.pipeline), json_quote(content.plan->plan->describe()));
  if (content.list) out += fmt::format(",\"entries\":{}", content.list->live(now));
  if (known) out += ",\"loaded\":" + json_quote(time_text(content.status->loaded));
  if (!content.trouble.empty()) out += ",\"error\":" + json_quote(content.trouble);
  if (!content.remark.empty()) out += ",\"remark\":" + json_quote(content.remark);
  return out + "}";
}

}  // namespace

int lists_ls(const ListsArguments& arguments, const Registry& registry) {
  Contents contents;
  if (const int code = open(arguments, registry, contents); code != kExitDone) return code;
  const EventTime now = contents.clock.wall();
  if (arguments.json) {
    for (const Content& content : contents.lists) fmt::print("{}\n", status_json(content, now));
    return kExitDone;
  }
  if (contents.lists.empty()) {
    fmt::print("no lists\n");
    return kExitDone;
  }
  fmt::print("{:<20}  {:<8}  {:>9}  {:>5}  {}\n", "list", "type", "entries", "age", "source");
  for (const Content& content : contents.lists)
    fmt::print("{:<20}  {:<8}  {:>9}  {:>5}  {}\n", content.plan->name, content.plan->type,
               content.list ? fmt::format("{}", content.list->live(now)) : "-",
               age_of(content, now), content.plan->plan->describe());
  std::fflush(stdout);
  tell_troubles(contents);
  return kExitDone;
}

int lists_show(const ListsArguments& arguments, const Registry& registry) {
  Contents contents;
  if (const int code = open(arguments, registry, contents); code != kExitDone) return code;
  if (contents.lists.empty()) {
    ListScope scope;
    for (const Plan& job : contents.jobs)
      for (const PlanList& list : job.lists) scope.add(list.slot);
    fmt::print(stderr, "error: unknown list \"{}\"\n  = help: {}\n", arguments.name,
               unknown_list_hint(&scope, arguments.name));
    return kExitUsage;
  }
  tell_troubles(contents);
  const EventTime now = contents.clock.wall();
  bool all_there = true;
  for (const Content& content : contents.lists) {
    all_there = all_there && content.list != nullptr;
    if (!content.list) continue;
    std::uint64_t shown = 0;
    for (auto hit = content.list->after(0, now); hit != 0 && shown < arguments.limit;
         hit = content.list->after(hit, now), ++shown) {
      const Indicator entry = content.list->at(hit);
      fmt::print("{}\n", arguments.json ? entry_json(content, entry) : entry_line(entry));
    }
    if (!arguments.json) fmt::print("{} of {} entries\n", shown, content.list->live(now));
  }
  return all_there ? kExitDone : kExitFailed;
}

int lists_test(const ListsArguments& arguments, const Registry& registry) {
  Contents contents;
  if (const int code = open(arguments, registry, contents); code != kExitDone) return code;
  tell_troubles(contents);
  const EventTime now = contents.clock.wall();
  bool found = false;
  for (const Content& content : contents.lists) {
    if (!content.list) continue;
    for (auto hit = content.list->find(std::string_view(arguments.value), now); hit != 0;
         hit = content.list->next(hit, now)) {
      found = true;
      const Indicator entry = content.list->at(hit);
      if (arguments.json)
        fmt::print("{}\n", entry_json(content, entry));
      else
        fmt::print("{}: {}\n", content.plan->name, entry_line(entry));
    }
  }
  if (!found && !arguments.json) fmt::print("no list has \"{}\"\n", printable(arguments.value));
  return found ? kExitDone : kExitFailed;
}

}  // namespace streamd
