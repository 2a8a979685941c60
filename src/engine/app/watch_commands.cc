// SPDX-License-Identifier: Apache-2.0
// tap and health: found by the state folder, asked over the socket there.
#include "engine/api/field_type.h"
#include "engine/app/command_line.h"
#include "engine/app/commands.h"
#include "engine/app/logging.h"
#include "engine/config/yaml.h"
#include "engine/core/whole_file.h"
#include "engine/io/control/client.h"
#include "engine/watch/watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>

namespace streamd {
namespace fs = std::filesystem;
namespace {

// Who does not say a word for so long is not asked any more.
constexpr Duration kAnswerWithin = Duration::from_seconds(10);

int failed(const Error& error, int code = kExitFailed) {
  print_error(error);
  return code;
}

// A folder in which a process runs, or ran and was killed.
struct Home {
  std::string name, socket;
  std::set<std::string> members;  // of one job
};

std::vector<Home> homes(const std::string& root) {
  std::vector<Home> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root, error)) {
    const std::string name = entry.path().filename().string();
    const fs::path socket = entry.path() / kControlSocket;
    if (name.find(".archived-") != std::string::npos || !fs::is_socket(socket, error)) continue;
    Home home{name, socket.string(), {name}};
    std::ifstream members(entry.path() / "PIPELINES");
    for (std::string member; std::getline(members, member);) home.members.insert(member);
    found.push_back(std::move(home));
  }
  std::sort(found.begin(), found.end(),
            [](const Home& a, const Home& b) { return a.name < b.name; });
  return found;
}

// The name in a pipeline file. Variables need no value for that.
Result<std::string> name_in(const std::string& file) {
  const auto text = read_whole_file(file);
  if (!text)
    return fail(ErrorKind::config, fmt::format("cannot read the pipeline file \"{}\"", file));
  const Surroundings none{[](const std::string&) { return std::optional<std::string>("1"); },
                          [](const std::string&) -> Result<std::string> { return "1"; }};
  Diagnostics problems;
  const auto document = parse_yaml(*text, 0, none, problems);
  const ConfigNode* name = document ? document->find("pipeline") : nullptr;
  if (name == nullptr || name->text.empty())
    return fail(ErrorKind::config, fmt::format("\"{}\" names no pipeline", file),
                fmt::format("streamd check {} tells more", file));
  return name->text;
}

bool is_file(const std::string& pipeline) {
  return pipeline.ends_with(".yaml") || pipeline.ends_with(".yml") ||
         pipeline.find('/') != std::string::npos;
}

tl::unexpected<Error> nobody(const std::string& what, const std::string& root) {
  return fail(ErrorKind::external, fmt::format("no running process of {} in {}", what, root),
              "start it with `streamd run`, or name its state folder with --state-dir");
}

// Those of the pipeline that is named, else all.
Result<std::vector<Home>> wanted_homes(const WatchArguments& arguments, const std::string& root) {
  auto all = homes(root);
  std::string name = arguments.pipeline;
  if (is_file(name)) {
    auto read = name_in(name);
    if (!read) return tl::unexpected(std::move(read).error());
    name = std::move(*read);
  }
  if (!name.empty())
    std::erase_if(all, [&](const Home& home) { return home.members.count(name) == 0; });
  if (all.empty()) return nobody(name.empty() ? "streamd" : fmt::format("\"{}\"", name), root);
  return all;
}

bool show(const control::AnswerLines::Line& line) {
  std::FILE* to = line.kind == 'o' ? stdout : stderr;
  std::fwrite(line.text.data(), 1, line.text.size(), to);
  std::fputc('\n', to);
  return std::fflush(to) == 0;
}

bool runs(const Home& home) {
  const control::Request nothing{"health", {}};
  return control::ask(
             home.socket, nothing, [](const auto&) { return true; }, kAnswerWithin)
      .has_value();
}

}  // namespace

int tap_command(const WatchArguments& arguments) {
  const std::string root = state_root(arguments.state_dir);
  auto found = wanted_homes(arguments, root);
  if (!found)
    return failed(found.error(),
                  found.error().kind == ErrorKind::config ? kExitUsage : kExitFailed);
  if (found->size() > 1) std::erase_if(*found, [](const Home& home) { return !runs(home); });
  if (found->size() > 1) {
    std::vector<std::string> names;
    for (const auto& home : *found) names.push_back(home.name);
    return failed(
        {ErrorKind::config, Retry::never, fmt::format("several pipelines run in {}", root),
         fmt::format("name one of them: {}", fmt::join(names, ", "))},
        kExitUsage);
  }
  if (found->empty()) return failed(nobody("streamd", root).value());
  control::Request request{"tap",
                           {{"node", arguments.node},
                            {"port", arguments.port},
                            {"where", arguments.where},
                            {"limit", std::to_string(arguments.limit)},
                            {"json", arguments.json ? "true" : "false"}}};
  const auto code = control::ask(found->front().socket, request, show);
  if (code) return *code;
  if (code.error().retry == Retry::backoff)
    return failed(nobody(fmt::format("\"{}\"", found->front().name), root).value());
  return failed(code.error());
}

int health_command(const WatchArguments& arguments) {
  if (!parse_duration(arguments.patience))
    return failed({ErrorKind::config, Retry::never,
                   fmt::format("--patience: \"{}\" is no duration", arguments.patience),
                   "write for example 90s or 5m"},
                  kExitUsage);
  const std::string root = state_root(arguments.state_dir);
  const auto found = wanted_homes(arguments, root);
  if (!found)
    return failed(found.error(),
                  found.error().kind == ErrorKind::config ? kExitUsage : kExitFailed);
  const control::Request request{"health", {{"limit", arguments.patience}}};
  int worst = kExitDone;
  std::size_t running = 0;
  for (const auto& home : *found) {
    const auto code = control::ask(home.socket, request, show, kAnswerWithin);
    if (!code && code.error().retry == Retry::backoff) continue;
    ++running;
    if (!code) fmt::print(stderr, "{}: {}\n", home.name, code.error().message);
    worst = std::max(worst, code.value_or(kExitFailed));
  }
  if (running > 0) return worst;
  return failed(
      nobody(arguments.pipeline.empty() ? "streamd" : fmt::format("\"{}\"", arguments.pipeline),
             root)
          .value());
}

}  // namespace streamd
