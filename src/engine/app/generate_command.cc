// SPDX-License-Identifier: Apache-2.0
#include "engine/api/field_type.h"
#include "engine/app/command_line.h"
#include "engine/app/commands.h"
#include "engine/codec/time_format.h"
#include "sources/nginx_traffic.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <memory>

namespace streamd {
namespace {

int usage(const std::string& text) {
  fmt::print(stderr, "error: {}\n", text);
  return kExitUsage;
}

}  // namespace

int generate_command(const GenerateArguments& arguments) {
  TrafficConfig config;
  config.rate = std::max<std::uint64_t>(1, arguments.rate);
  config.seed = arguments.seed;
  config.clients = std::max<std::uint64_t>(1, arguments.clients);
  config.attackers = arguments.attackers;
  const auto disorder = parse_duration(arguments.disorder);
  if (!disorder) return usage(fmt::format("--disorder: \"{}\" is no duration", arguments.disorder));
  config.disorder = *disorder;
  if (!arguments.start.empty()) {
    const auto start = TimeFormat::parse("rfc3339")->read(Value::string(arguments.start));
    if (!start) return usage(fmt::format("--start: \"{}\" is no RFC 3339 time", arguments.start));
    config.start = *start;
  }
  std::FILE* out = arguments.output.empty() ? stdout : std::fopen(arguments.output.c_str(), "wb");
  if (out == nullptr) {
    fmt::print(stderr, "error: {}: {}\n", arguments.output, std::strerror(errno));
    return kExitFailed;
  }
  const NginxTraffic traffic(config);
  std::string block;
  bool good = true;
  for (std::uint64_t n = 0; n < arguments.count && good; ++n) {
    const std::size_t at = block.size();
    block.resize(at + NginxTraffic::kMaxBytes);
    const std::size_t length = traffic.write(n, block.data() + at);
    block.resize(at + length);
    block.push_back('\n');
    if (block.size() < (1 << 18) && n + 1 < arguments.count) continue;
    good = std::fwrite(block.data(), 1, block.size(), out) == block.size();
    block.clear();
  }
  good = (out == stdout ? std::fflush(out) : std::fclose(out)) == 0 && good;
  if (!good) fmt::print(stderr, "error: cannot write the records: {}\n", std::strerror(errno));
  return good ? kExitDone : kExitFailed;
}

}  // namespace streamd
