// SPDX-License-Identifier: Apache-2.0
#include "engine/app/command_line.h"
#include "engine/app/commands.h"
#include "engine/app/dead_letter_files.h"
#include "engine/app/load.h"
#include "engine/app/logging.h"
#include "engine/app/printable.h"
#include "engine/app/replay_source.h"
#include "engine/app/signals.h"
#include "engine/runtime/ingest.h"
#include "engine/runtime/report.h"
#include "engine/runtime/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unistd.h>
#include <unordered_set>
#include <vector>

namespace streamd {
namespace {

int failed(const Error& error) {
  print_error(error);
  return error.kind == ErrorKind::config ? kExitUsage : kExitFailed;
}

// The pipeline and its dead letters that pass the filters.
struct Selection {
  Plan plan;
  std::vector<DeadLetter> letters;
};

int select(const DlqArguments& arguments, const Registry& registry, Selection& into) {
  auto jobs = load_jobs(arguments.files, registry);
  if (!jobs) return kExitUsage;
  if (jobs->size() > 1)
    return failed({ErrorKind::config, Retry::never,
                   "these files share no source, so each has its own dead letters",
                   "name one of them, or all files of one job"});
  Plan& plan = jobs->front();
  const std::string root = state_root(arguments.state_dir);
  auto found = read_dead_letters(plan, root);
  if (!found) return failed(found.error());
  std::error_code ignored;
  if (found->letters.empty() && !std::filesystem::exists(root + "/" + plan.pipeline, ignored))
    fmt::print(stderr,
               "warning: pipeline {} has no state in \"{}\"\n  = help: name the folder of its run "
               "with --state-dir or $STREAMD_STATE_DIR\n",
               plan.pipeline, root);
  if (found->unreadable > 0)
    fmt::print(stderr, "warning: {} lines are no dead letters and are left out, the first is {}\n",
               found->unreadable, found->first_unreadable);
  std::erase_if(found->letters, [&](const DeadLetter& l) {
    return (!arguments.node.empty() && l.node != arguments.node) ||
           (!arguments.code.empty() && l.code != arguments.code);
  });
  into = {std::move(plan), std::move(found->letters)};
  return kExitDone;
}

// What of the letters is read again, and why the others are not.
struct Replay {
  std::map<std::string, std::vector<std::string>> records;  // by source
  std::vector<std::string> ids;                             // of the letters that these stand for
  std::map<std::string, std::size_t> left;                  // by reason
};

// Empty: a source reads it again. `from`: the letter's source without the nodes behind it.
std::string obstacle(const Plan& plan, const DeadLetter& letter, const std::string& from) {
  const auto node = std::find_if(plan.nodes.begin(), plan.nodes.end(),
                                 [&](const PlanNode& n) { return n.name == from; });
  if (node == plan.nodes.end()) return fmt::format("the pipeline has no source \"{}\"", from);
  if (!node->source) return fmt::format("results of operator \"{}\", which nobody reads", from);
  if (letter.reason == kLongerThanMaxRecord)
    return "only their beginning was read, as they are longer than max_record";
  const bool of_source = letter.node == from;
  if (of_source && letter.code == "tombstone") return "they have no value";
  if (of_source && (letter.code == "truncated-gzip" || letter.code == "bad-gzip" ||
                    letter.code == "damaged-batch"))
    return "what could be read of damaged data is no record";
  return {};
}

Replay replay_of(const Plan& plan, const std::vector<DeadLetter>& letters) {
  Replay replay;
  std::map<std::string, std::unordered_set<std::string_view>> taken;  // by source: its records
  for (const auto& letter : letters) {
    const std::string from = letter.source.substr(0, letter.source.find('/'));
    if (const std::string reason = obstacle(plan, letter, from); !reason.empty()) {
      ++replay.left[reason];
      continue;
    }
    replay.ids.push_back(letter.id);
    // Parts of a record ("source/node", see explode) hold all of it: it is read again once.
    const bool is_new = taken[from].insert(letter.data).second;
    if (is_new || letter.source == from) replay.records[from].push_back(letter.data);
  }
  return replay;
}

std::string left_text(const Replay& replay) {
  std::string text;
  for (const auto& [reason, count] : replay.left)
    text += fmt::format("{}{} of them: {}", text.empty() ? "" : "; ", count, reason);
  return text;
}

}  // namespace

int dlq_list(const DlqArguments& arguments, const Registry& registry) {
  Selection found;
  if (const int code = select(arguments, registry, found); code != kExitDone) return code;
  const auto& letters = found.letters;
  if (letters.empty()) {
    fmt::print("no dead letters\n");
    return kExitDone;
  }
  const std::size_t first = letters.size() > arguments.limit ? letters.size() - arguments.limit : 0;
  fmt::print("{:>6}  {:<16}  {:<14}  {:<28}  {}\n", "number", "node", "code", "where", "reason");
  for (std::size_t i = first; i < letters.size(); ++i) {
    const auto& l = letters[i];
    fmt::print("{:>6}  {:<16}  {:<14}  {:<28}  {}{}\n", l.number, l.node, l.code,
               printable(fmt::format("{}@{}", l.partition, l.position)), printable(l.reason),
               l.replayed ? "  (replayed)" : "");
  }
  fmt::print("{} of {} dead letters\n", letters.size() - first, letters.size());
  return kExitDone;
}

int dlq_show(const DlqArguments& arguments, const Registry& registry) {
  Selection found;
  if (const int code = select(arguments, registry, found); code != kExitDone) return code;
  const DeadLetter* chosen = nullptr;
  for (const auto& l : found.letters)
    if (!arguments.number || l.number == *arguments.number) chosen = &l;
  if (chosen == nullptr) {
    fmt::print(stderr, "error: no such dead letter\n  = help: streamd dlq ls {} shows them\n",
               fmt::join(arguments.files, " "));
    return kExitFailed;
  }
  const auto& l = *chosen;
  fmt::print(
      "number:    {}\nnode:      {}\ncode:      {}\nreason:    {}\nsource:    {}\n"
      "partition: {}\nposition:  {}\n",
      l.number, l.node, l.code, printable(l.reason), l.source, printable(l.partition), l.position);
  if (!l.time.empty()) fmt::print("time:      {}\n", l.time);
  // Who reads it elsewhere gets the very bytes.
  const std::string data = ::isatty(STDOUT_FILENO) != 0 ? printable(l.data, "\n\t") : l.data;
  fmt::print("replayed:  {}\ndata:      {} bytes{}\n{}\n", l.replayed ? "yes" : "no", l.data.size(),
             l.reason == kLongerThanMaxRecord ? ", the beginning of the record" : "", data);
  return kExitDone;
}

int dlq_replay(const DlqArguments& arguments, const Registry& registry) {
  Selection found;
  if (const int code = select(arguments, registry, found); code != kExitDone) return code;
  std::erase_if(found.letters, [](const DeadLetter& l) { return l.replayed; });
  if (found.letters.empty()) {
    fmt::print("no dead letters to replay\n");
    return kExitDone;
  }
  Replay replay = replay_of(found.plan, found.letters);
  if (replay.ids.empty())
    return failed({ErrorKind::data, Retry::never,
                   fmt::format("none of {} dead letters can be replayed ({})", found.letters.size(),
                               left_text(replay)),
                   "streamd dlq show tells what is in them; a source that was renamed needs its "
                   "old name for a replay"});
  const std::string root = state_root(arguments.state_dir);
  std::stop_source stop;
  stop_on_signals(stop);
  // The run ends when every worker of every source has handed out all it had.
  auto waiting = std::make_shared<std::atomic<std::size_t>>(0);
  for (auto& node : found.plan.nodes) {
    if (!node.source) continue;
    ++*waiting;
    node.source = replay_source(std::move(replay.records[node.name]), [waiting, stop]() mutable {
      if (--*waiting == 0) stop.request_stop();
    });
  }
  add_default_dead_letters(found.plan, root, registry);
  const SystemClock clock;
  RunOptions options;
  options.state_root = root;
  options.clock = &clock;
  options.log = stderr_log();
  options.stop = stop.get_token();
  const auto result = run_pipeline(found.plan, options);
  if (!result) return failed(result.error());
  if (*waiting > 0 || result->cut_short)
    return failed({ErrorKind::external, Retry::never,
                   "the replay was stopped before its end: no dead letter is marked as replayed",
                   "replay again; what was read already is written once more then"});
  if (auto status = mark_replayed(found.plan, root, replay.ids); !status)
    return failed(status.error());
  std::string told = fmt::format("replayed {} dead letters\n", replay.ids.size());
  if (!replay.left.empty()) told += fmt::format("not replayed: {}\n", left_text(replay));
  std::fputs((told + final_table(*result)).c_str(), stderr);
  return kExitDone;
}

}  // namespace streamd
