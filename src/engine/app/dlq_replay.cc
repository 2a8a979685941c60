// SPDX-License-Identifier: Apache-2.0
#include "engine/app/command_line.h"
#include "engine/app/commands.h"
#include "engine/app/dlq_selection.h"
#include "engine/app/load.h"
#include "engine/app/logging.h"
#include "engine/app/replay_source.h"
#include "engine/app/signals.h"
#include "engine/plan/replay_path.h"
#include "engine/runtime/ingest.h"
#include "engine/runtime/report.h"
#include "engine/runtime/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace streamd {
namespace {

// Letters that one node has written, and what of them is read again.
struct Refused {
  std::map<std::string, std::vector<std::string>> records;  // by source
  std::vector<std::string> ids;                             // of the letters that these stand for
  std::map<std::string, std::unordered_set<std::string_view>> known;  // by source: its records
};

struct Replay {
  std::map<std::string, Refused> by_node;
  std::map<std::string, std::size_t> left;  // letters that are not read again, by reason
  std::size_t ids = 0;                      // of all nodes
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
  for (const auto& letter : letters) {
    const std::string from = letter.source.substr(0, letter.source.find('/'));
    if (const std::string reason = obstacle(plan, letter, from); !reason.empty()) {
      ++replay.left[reason];
      continue;
    }
    Refused& refused = replay.by_node[letter.node];
    refused.ids.push_back(letter.id);
    ++replay.ids;
    // Parts of a record ("source/node", see explode) hold all of it: it is read again once.
    const bool is_new = refused.known[from].insert(letter.data).second;
    if (is_new || letter.source == from) refused.records[from].push_back(letter.data);
  }
  return replay;
}

std::string left_text(const Replay& replay) {
  std::string text;
  for (const auto& [reason, count] : replay.left)
    text += fmt::format("{}{} of them: {}", text.empty() ? "" : "; ", count, reason);
  return text;
}

// Runs the plan on these records. Nothing: it was stopped before its end.
Result<std::optional<Progress>> run_again(Plan& plan, Refused& refused, RunOptions options,
                                          const std::stop_source& stop) {
  // The run ends when every worker of every source has handed out all it had.
  auto waiting = std::make_shared<std::atomic<std::size_t>>(0);
  std::stop_source over;
  const std::stop_callback stopped(stop.get_token(), [over]() mutable { over.request_stop(); });
  for (auto& node : plan.nodes) {
    if (!node.source) continue;
    ++*waiting;
    node.source = replay_source(std::move(refused.records[node.name]), [waiting, over]() mutable {
      if (--*waiting == 0) over.request_stop();
    });
  }
  options.stop = over.get_token();
  auto result = run_pipeline(plan, options);
  if (!result) return tl::unexpected(std::move(result).error());
  if (*waiting > 0 || result->cut_short) return std::nullopt;
  return std::move(*result);
}

Error stopped_early(std::size_t replayed, std::size_t all) {
  const std::string marked =
      replayed == 0 ? "no dead letter is marked as replayed"
                    : fmt::format("{} of {} dead letters are marked as replayed", replayed, all);
  return {ErrorKind::external, Retry::never, "the replay was stopped before its end: " + marked,
          "replay again; what was read of the others already is written once more then"};
}

}  // namespace

// Node by node, as what one has refused has another way to go than what another one has.
int dlq_replay(const DlqArguments& arguments, const Registry& registry) {
  Selection found;
  if (const int code = select_letters(arguments, registry, found); code != kExitDone) return code;
  std::erase_if(found.letters, [](const DeadLetter& l) { return l.replayed; });
  if (found.letters.empty()) {
    fmt::print("no dead letters to replay\n");
    return kExitDone;
  }
  Replay replay = replay_of(found.plan, found.letters);
  if (replay.ids == 0)
    return exit_code_of(
        {ErrorKind::data, Retry::never,
         fmt::format("none of {} dead letters can be replayed ({})", found.letters.size(),
                     left_text(replay)),
         "streamd dlq show tells what is in them; a source that was renamed needs its "
         "old name for a replay"});
  const std::string root = state_root(arguments.state_dir);
  std::stop_source stop;
  stop_on_signals(stop);
  add_default_dead_letters(found.plan, root, registry);
  const SystemClock clock;
  RunOptions options;
  options.state_root = root;
  options.clock = &clock;
  options.log = stderr_log();
  std::optional<Progress> total;
  std::size_t replayed = 0;
  std::string told;
  for (auto& [node, refused] : replay.by_node) {
    const std::vector<std::string> without = open_path_to(found.plan, node);
    const auto run = run_again(found.plan, refused, options, stop);
    if (!run) return exit_code_of(run.error());
    if (!*run) return exit_code_of(stopped_early(replayed, replay.ids));
    if (auto status = mark_replayed(found.plan, root, refused.ids); !status)
      return exit_code_of(status.error());
    replayed += refused.ids.size();
    if (!without.empty())
      told += fmt::format("what {} refused went to it and on, and not again to {}\n", node,
                          fmt::join(without, ", "));
    if (!total)
      total = **run;
    else
      for (std::size_t n = 0; n < total->nodes.size(); ++n) total->nodes[n].add((*run)->nodes[n]);
  }
  told = fmt::format("replayed {} dead letters\n", replayed) + told;
  if (!replay.left.empty()) told += fmt::format("not replayed: {}\n", left_text(replay));
  std::fputs((told + final_table(*total)).c_str(), stderr);
  return kExitDone;
}

}  // namespace streamd
