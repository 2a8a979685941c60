// SPDX-License-Identifier: Apache-2.0
#include "sources/generate_config.h"

#include "engine/codec/time_format.h"

#include <array>
#include <string_view>
#include <utility>

namespace streamd {

template <>
struct EnumNames<TrafficKind> {
  static constexpr std::array<std::pair<TrafficKind, std::string_view>, 1> values = {
      {{TrafficKind::nginx, "nginx"}}};
};

Spec<GenerateConfig> generate_spec() {
  using C = GenerateConfig;
  return Spec<C>("generate")
      .summary("Makes up nginx access events, always the same ones for the same settings.")
      .details(
          "JSON objects whose values are all strings, with time in `@timestamp` (unix seconds). "
          "Each minute of event time one attacker sends some 40 requests within 5 s; every 90 s "
          "one host answers 4xx for 15 s.")
      .promise("exactly once: record n can be made again")
      .field(&C::kind, {.name = "kind", .help = "What is made up."})
      .field(&C::rate, {.name = "rate",
                        .help = "Records per second of event time, over all partitions.",
                        .examples = {"50000"}})
      .field(&C::count, {.name = "count",
                         .help = "Ends after so many records; 0 never ends.",
                         .examples = {"5000000"}})
      .field(&C::seed, {.name = "seed", .help = "Another seed gives other traffic."})
      .field(&C::attackers, {.name = "attackers",
                             .help = "How many addresses take turns in attacking; 0 for none."})
      .field(&C::clients, {.name = "clients", .help = "How many different clients there are."})
      .field(&C::hosts, {.name = "hosts", .help = "How many hosts are asked."})
      .field(&C::skew, {.name = "skew",
                        .help = "How unequal clients are: exponent of a Zipf law, 0 for all alike.",
                        .advanced = true})
      .field(&C::start, {.name = "start", .help = "Time of the first record, RFC 3339."})
      .field(&C::disorder, {.name = "disorder",
                            .help = "A record's time may be up to this much too early.",
                            .examples = {"2s"}})
      .field(&C::speed, {.name = "speed",
                         .help = "Seconds of event time per second; 0 is as fast as possible.",
                         .examples = {"1"}})
      .field(&C::partitions,
             {.name = "partitions",
              .help = "Into how many partitions the stream is cut; each is read by one worker.",
              .advanced = true})
      .rule("rate is at least 1", [](const C& c) { return c.rate > 0; })
      .rule("clients are 1 to 50000000",
            [](const C& c) { return c.clients > 0 && c.clients <= 50'000'000; })
      .rule("hosts are 1 to 1000000",
            [](const C& c) { return c.hosts > 0 && c.hosts <= 1'000'000; })
      .rule("attackers are at most 100000", [](const C& c) { return c.attackers <= 100'000; })
      .rule("partitions are 1 to 4096",
            [](const C& c) { return c.partitions > 0 && c.partitions <= 4096; })
      .rule("skew is 0 to 10", [](const C& c) { return c.skew >= 0 && c.skew <= 10; })
      .rule("speed is not negative", [](const C& c) { return c.speed >= 0; })
      .rule("disorder is not negative and at most 4000000s",
            [](const C& c) {
              return c.disorder.micros >= 0 && c.disorder <= Duration::from_seconds(4'000'000);
            })
      .example("Five million requests as fast as possible", "count: 5000000\nrate: 50000")
      .example("Real time", "rate: 200\nspeed: 1");
}

std::optional<TrafficConfig> traffic_of(const GenerateConfig& config, const ConfigNode& node,
                                        Diagnostics& problems) {
  const auto start = parse_rfc3339(config.start);
  if (!start || start->time.micros < 0) {
    const ConfigNode* where = node.find("start");
    problems.error("bad-time", where ? where->place : node.place,
                   start ? "start is before 1970" : "start is not an RFC 3339 time",
                   "Write it as 2024-01-01T00:00:00Z.");
    return std::nullopt;
  }
  TrafficConfig traffic;
  traffic.rate = config.rate;
  traffic.seed = config.seed;
  traffic.clients = config.clients;
  traffic.hosts = config.hosts;
  traffic.attackers = config.attackers;
  traffic.skew = config.skew;
  traffic.start = start->time;
  traffic.disorder = config.disorder;
  return traffic;
}

}  // namespace streamd
