// SPDX-License-Identifier: Apache-2.0
#include "engine/watch/watch.h"

#include "engine/api/field_type.h"
#include "engine/config/render.h"
#include "engine/watch/tap_session.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <utility>

namespace streamd {
namespace {

constexpr int kFailed = 1, kUsage = 2;

std::unique_ptr<control::Session> refuse(control::Answer& answer, int code, std::string_view what,
                                         std::string_view hint) {
  answer.err(fmt::format("error: {}", what));
  if (!hint.empty()) answer.err(fmt::format("  = help: {}", hint));
  answer.finish(code);
  return nullptr;
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::vector<std::string> names_of(const Plan& plan) {
  std::vector<std::string> names;
  for (const auto& node : plan.nodes) names.push_back(node.name);
  return names;
}

// What passes at a port of a node; nullopt: it has no such port.
struct Place {
  Port port = Port::out;
  Schema schema;
};

std::optional<Place> place_of(const Plan& plan, const PlanNode& node, const std::string& port) {
  if (port == "errors" && plan.dead_letters)
    return Place{Port::errors, plan.nodes[*plan.dead_letters].in};
  if (node.kind == PlanNode::Kind::sink)
    return port == "out" ? std::optional(Place{Port::out, node.in}) : std::nullopt;
  if (port == "out") return Place{Port::out, node.ports.out};
  if (port == "late" && node.ports.has_late) return Place{Port::late, late_schema(node.in)};
  if (!node.op) return std::nullopt;
  const auto routes = node.op->routes();
  for (std::size_t n = 0; n < routes.size(); ++n)
    if (routes[n] == port) return Place{route_port(n), node.ports.out};
  return std::nullopt;
}

std::string ports_of(const Plan& plan, const PlanNode& node) {
  std::vector<std::string> ports = {"out"};
  if (node.ports.has_late) ports.emplace_back("late");
  if (plan.dead_letters) ports.emplace_back("errors");
  if (node.op)
    for (auto& route : node.op->routes()) ports.push_back(std::move(route));
  return fmt::format("{}", fmt::join(ports, ", "));
}

std::string hint_for_node(const std::string& name, const Plan& plan) {
  const auto names = names_of(plan);
  const std::string close = closest(name, names);
  return fmt::format("{}nodes: {}",
                     close.empty() ? "" : fmt::format("did you mean \"{}\"? ", close),
                     fmt::join(names, ", "));
}

std::unique_ptr<control::Session> tap(const control::Request& request, const Observed& observed,
                                      const Clock& clock, const SecretMask& mask,
                                      control::Answer& answer) {
  const Plan& plan = observed.plan;
  TapRequest wanted;
  wanted.node = request.get("node");
  wanted.port = request.get("port").empty() ? "out" : request.get("port");
  std::size_t n = 0;
  while (n < plan.nodes.size() && plan.nodes[n].name != wanted.node) ++n;
  if (n == plan.nodes.size())
    return refuse(answer, kUsage,
                  fmt::format("pipeline {} has no node \"{}\"", plan.pipeline, wanted.node),
                  hint_for_node(wanted.node, plan));
  auto place = place_of(plan, plan.nodes[n], wanted.port);
  if (!place)
    return refuse(answer, kUsage,
                  fmt::format("\"{}\" has no port \"{}\"", wanted.node, wanted.port),
                  fmt::format("ports: {}", ports_of(plan, plan.nodes[n])));
  if (const std::string where(request.get("where")); !where.empty()) {
    Diagnostics problems;
    wanted.filter = TapFilter::make(where, place->schema, problems);
    answer.err(render(problems, {{"--where", where}}));
    if (!wanted.filter) {
      answer.finish(kUsage);
      return nullptr;
    }
  }
  Taps::Tap place_in_line = observed.taps.open(n, place->port);
  if (!place_in_line)
    return refuse(answer, kFailed, fmt::format("{} taps are open already", Taps::kMaxTaps),
                  "end one of them");
  wanted.schema = std::move(place->schema);
  wanted.limit = number(request.get("limit"));
  wanted.json = request.get("json") == "true";
  return std::make_unique<TapSession>(std::move(place_in_line), std::move(wanted), mask, clock);
}

void health(const control::Request& request, const Observed& observed, const WatchOptions& options,
            control::Answer& answer) {
  const Plan& plan = observed.plan;
  const auto limit = parse_duration(request.get("limit"));
  const auto verdict = observed.health.look(
      options.clock->monotonic(), limit.value_or(Duration::from_seconds(60)),
      options.checkpoint_every, [&plan](std::uint32_t node) { return plan.nodes[node].name; });
  for (const auto& line : verdict.lines) answer.out(fmt::format("{}: {}", plan.pipeline, line));
  answer.finish(verdict.well ? 0 : kFailed);
}

}  // namespace

control::Handler answers_about(const Observed& observed, const WatchOptions& options,
                               const SecretMask& mask) {
  return
      [&observed, &options, &mask](const control::Request& request,
                                   control::Answer& answer) -> std::unique_ptr<control::Session> {
        if (request.verb == "tap") return tap(request, observed, *options.clock, mask, answer);
        if (request.verb == "health") {
          health(request, observed, options, answer);
          return nullptr;
        }
        return refuse(answer, kUsage, fmt::format("the process knows no \"{}\"", request.verb),
                      "ask with the `streamd` that the process was started from");
      };
}

namespace {

struct Watcher {
  Observed observed;
  WatchOptions options;
  SecretMask mask;
  std::unique_ptr<control::Server> server;  // last: it uses all of the above
};

}  // namespace

std::shared_ptr<void> watch(const Observed& observed, WatchOptions options) {
  const SecretMask mask(options.secrets);
  auto watcher = std::make_shared<Watcher>(Watcher{observed, std::move(options), mask, nullptr});
  auto server = control::Server::open(
      observed.folder + "/" + kControlSocket,
      answers_about(watcher->observed, watcher->options, watcher->mask), *watcher->options.clock);
  if (server)
    watcher->server = std::move(*server);
  else
    watcher->options.log(
        LogLevel::warning,
        fmt::format("pipeline {}: `streamd tap` and `streamd health` can't look at "
                    "it: {}",
                    observed.plan.pipeline, server.error().message));
  return watcher;
}

}  // namespace streamd
