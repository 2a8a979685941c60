// SPDX-License-Identifier: Apache-2.0
#include "engine/app/command_line.h"
#include "engine/app/commands.h"
#include "engine/app/dead_letter_files.h"
#include "engine/app/load.h"
#include "engine/app/logging.h"
#include "engine/app/replay_source.h"
#include "engine/app/signals.h"
#include "engine/runtime/report.h"
#include "engine/runtime/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <memory>

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
  auto letters = read_dead_letters(plan, state_root(arguments.state_dir));
  if (!letters) return failed(letters.error());
  std::erase_if(*letters, [&](const DeadLetter& l) {
    return (!arguments.node.empty() && l.node != arguments.node) ||
           (!arguments.code.empty() && l.code != arguments.code);
  });
  into = {std::move(plan), std::move(*letters)};
  return kExitDone;
}

// Parts of a record ("source/node", see explode) hold all of it: it is read again once.
bool comes_from(const DeadLetter& letter, const std::string& source,
                const std::vector<std::string>& taken) {
  if (letter.source == source) return true;
  return letter.source.starts_with(source + "/") &&
         std::find(taken.begin(), taken.end(), letter.data) == taken.end();
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
               fmt::format("{}@{}", l.partition, l.position), l.reason,
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
      l.number, l.node, l.code, l.reason, l.source, l.partition, l.position);
  if (!l.time.empty()) fmt::print("time:      {}\n", l.time);
  fmt::print("replayed:  {}\ndata:      {} bytes\n{}\n", l.replayed ? "yes" : "no", l.data.size(),
             l.data);
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
  const std::string root = state_root(arguments.state_dir);
  std::stop_source stop;
  stop_on_signals(stop);
  // The run ends when every worker of every source has handed out all it had.
  auto waiting = std::make_shared<std::atomic<std::size_t>>(0);
  std::vector<std::string> ids;
  for (const auto& letter : found.letters) ids.push_back(letter.id);
  for (auto& node : found.plan.nodes) {
    if (!node.source) continue;
    std::vector<std::string> records;
    for (const auto& letter : found.letters)
      if (comes_from(letter, node.name, records)) records.push_back(letter.data);
    ++*waiting;
    node.source = replay_source(std::move(records), [waiting, stop]() mutable {
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
  if (auto status = mark_replayed(found.plan, root, ids); !status) return failed(status.error());
  fmt::print(stderr, "replayed {} dead letters\n{}", ids.size(), final_table(*result));
  return kExitDone;
}

}  // namespace streamd
