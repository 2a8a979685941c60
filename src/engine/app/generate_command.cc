// SPDX-License-Identifier: Apache-2.0
#include "engine/app/command_line.h"
#include "engine/app/commands.h"
#include "engine/app/logging.h"
#include "sources/generate_config.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

namespace streamd {
namespace {

// The source's own settings and rules. nullopt: what is wrong was printed.
std::optional<std::pair<GenerateConfig, TrafficConfig>> read_settings(
    const std::map<std::string, std::string>& settings) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::map;
  for (const auto& [name, value] : settings) {
    ConfigNode key, text;
    key.shape = text.shape = ConfigNode::Shape::scalar;
    key.text = name;
    text.text = value;
    key.place.line = text.place.line = static_cast<std::uint32_t>(node.entries.size()) + 1;
    node.entries.emplace_back(std::move(key), std::move(text));
  }
  Diagnostics problems;
  auto config = generate_spec().parse(node, problems);
  const auto traffic = config ? traffic_of(*config, node, problems) : std::nullopt;
  for (const Diagnostic& problem : problems.all()) {
    const std::uint32_t line = problem.place.line;
    const std::string name = line > 0 ? node.entries[line - 1].first.text + ": " : "";
    print_error({.message = name + problem.message, .hint = problem.hint});
  }
  if (!traffic) return std::nullopt;
  return std::pair{std::move(*config), *traffic};
}

}  // namespace

int generate_command(const GenerateArguments& arguments) {
  const auto settings = read_settings(arguments.settings);
  if (!settings) return kExitUsage;
  const auto& [config, traffic_config] = *settings;
  std::FILE* out = arguments.output.empty() ? stdout : std::fopen(arguments.output.c_str(), "wb");
  if (out == nullptr) {
    fmt::print(stderr, "error: {}: {}\n", arguments.output, std::strerror(errno));
    return kExitFailed;
  }
  const NginxTraffic traffic(traffic_config);
  std::string block;
  bool good = true;
  for (std::uint64_t n = 0; n < config.count && good; ++n) {
    const std::size_t at = block.size();
    block.resize(at + NginxTraffic::kMaxBytes);
    const std::size_t length = traffic.write(n, block.data() + at);
    block.resize(at + length);
    block.push_back('\n');
    if (block.size() < (1 << 18) && n + 1 < config.count) continue;
    good = std::fwrite(block.data(), 1, block.size(), out) == block.size();
    block.clear();
  }
  good = (out == stdout ? std::fflush(out) : std::fclose(out)) == 0 && good;
  if (!good) fmt::print(stderr, "error: cannot write the records: {}\n", std::strerror(errno));
  return good ? kExitDone : kExitFailed;
}

}  // namespace streamd
