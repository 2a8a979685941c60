// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace streamd {
namespace {

using NodeKind = PlanNode::Kind;
using ByName = std::map<std::string, std::size_t>;

ByName index_names(Draft& draft, std::set<std::string>& meant, Diagnostics& problems) {
  ByName by_name;
  for (std::size_t i = 0; i < draft.nodes.size(); ++i) {
    const PlanNode& node = draft.nodes[i].node;
    const auto [first, is_new] = by_name.emplace(node.name, i);
    if (is_new) continue;
    const DraftNode& other = draft.nodes[first->second];
    meant.insert(node.name);
    problems.error(
        "duplicate-name", node.place,
        fmt::format("{} has the name of {}", draft.nodes[i].label(), other.label()),
        fmt::format("give it another name; the first is in line {}", other.node.place.line));
  }
  return by_name;
}

std::vector<std::string> readable_names(const Draft& draft, const DraftNode& except) {
  std::vector<std::string> names;
  for (const auto& node : draft.nodes)
    if (node.node.kind != NodeKind::sink && &node != &except &&
        node.node.name.find('$') == std::string::npos)
      names.push_back(node.node.name);
  return names;
}

class Connector {
 public:
  Connector(Draft& draft, Diagnostics& problems)
      : draft_(draft), problems_(problems), by_name_(index_names(draft, meant_, problems)) {}

  void dead_letters() {
    const Document& document = draft_.document;
    if (!document.dead_letters) return;
    const auto found = by_name_.find(*document.dead_letters);
    if (found != by_name_.end() && draft_.nodes[found->second].node.kind == NodeKind::sink) {
      draft_.dead_letters = found->second;
      const DraftNode& sink = draft_.nodes[found->second];
      if (!sink.inputs.empty())
        problems_.error("dead-letters-input", sink.inputs.front().place,
                        sink.label() + " gets the dead letters and can have no other input",
                        "remove input, or use another sink for dead_letters");
      return;
    }
    std::vector<std::string> sinks;
    for (const auto& node : draft_.nodes)
      if (node.node.kind == NodeKind::sink) sinks.push_back(node.node.name);
    const std::string guess = closest(*document.dead_letters, sinks);
    if (!guess.empty() && draft_.nodes[by_name_.at(guess)].inputs.empty())
      draft_.dead_letters = by_name_.at(guess);
    problems_.error("unknown-sink", document.dead_letters_place, "dead_letters names no sink",
                    guess.empty() ? "add the sink, or remove dead_letters: the dead letters then "
                                    "go to a file in the state directory"
                                  : fmt::format("did you mean \"{}\"?", guess));
  }

  void inputs() {
    for (std::size_t i = 0; i < draft_.nodes.size(); ++i) {
      DraftNode& node = draft_.nodes[i];
      if (node.node.kind == NodeKind::source) continue;
      if (node.inputs.empty()) missing_input(i);
      wrong_sides(node);
      std::set<std::string> seen;
      for (auto& input : node.inputs) {
        resolve(node, input);
        if (!seen.insert(input.text).second)
          problems_.error("duplicate-input", input.place,
                          fmt::format("{}: input \"{}\" is here twice", node.label(), input.text),
                          "remove one");
      }
    }
  }

  void unused() {
    if (unclear_) return;
    std::set<std::size_t> read;
    for (const auto& node : draft_.nodes)
      for (const auto& input : node.inputs)
        if (input.node) read.insert(*input.node);
    for (std::size_t i = 0; i < draft_.nodes.size(); ++i) {
      const DraftNode& node = draft_.nodes[i];
      if (read.count(i) > 0) unread_routes(node, i);
      if (node.node.kind == NodeKind::sink || read.count(i) > 0 || meant_.count(node.node.name) > 0)
        continue;
      problems_.error("unused-node", node.node.place, fmt::format("nothing reads {}", node.label()),
                      fmt::format("add a sink with input: {}, or remove it", readable(node)));
    }
  }

 private:
  void missing_input(std::size_t i) {
    const DraftNode& node = draft_.nodes[i];
    if (draft_.dead_letters == i) return;
    unclear_ = true;
    if (node.body == nullptr || node.body->find("input") != nullptr) return;
    problems_.error("missing-key", node.node.place, node.label() + ": \"input\" is missing",
                    "add input: with the name of a source or operator");
  }

  std::string input_hint(const DraftNode& reader, const std::string& name,
                         const std::string& guess) const {
    if (!guess.empty()) return fmt::format("did you mean \"{}\"?", guess);
    for (const auto& list : draft_.lists)
      if (list.list.name == name)
        return fmt::format("it is a list: use it in a match, or as x in list(\"{}\")", name);
    std::vector<std::string> names = readable_names(draft_, reader);
    if (names.size() > 12) names.resize(12);
    return names.empty() ? "name a source or an operator"
                         : fmt::format("it can be {}", fmt::join(names, ", "));
  }

  void wrong_sides(const DraftNode& node) {
    const std::size_t sides = node.node.op == nullptr ? 0 : node.node.op->sides();
    if (sides == 0 || node.inputs.empty() || node.inputs.size() == sides) return;
    problems_.error(
        "inputs", node.inputs.front().place,
        fmt::format("{} reads {} inputs, here {} named", node.label(), sides,
                    node.inputs.size() == 1 ? "is 1" : fmt::format("are {}", node.inputs.size())),
        "name them in their order: input: [first, second]");
  }

  void resolve(DraftNode& reader, DraftInput& input) {
    // A name with a dot is one of a joint job, or an error of that node's and not of what reads it.
    const std::size_t dot =
        by_name_.count(input.text) > 0 ? std::string::npos : input.text.rfind('.');
    const std::string name = input.text.substr(0, dot);
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) {
      const std::string guess = closest(name, readable_names(draft_, reader));
      meant_.insert(guess);
      unclear_ = unclear_ || guess.empty();
      problems_.error("unknown-input", input.place,
                      fmt::format("{}: unknown input {}", reader.label(), json_quote(name)),
                      input_hint(reader, name, guess));
      return;
    }
    const DraftNode& from = draft_.nodes[found->second];
    if (from.node.kind == NodeKind::sink) {
      problems_.error("unknown-input", input.place,
                      fmt::format("{}: {} gives no records", reader.label(), from.label()),
                      "read what the sink reads");
      return;
    }
    const std::vector<std::string> routes = routes_of(from);
    const std::string port = dot == std::string::npos ? "" : input.text.substr(dot + 1);
    if (!port.empty() && port != "late" && may_have_more_routes(from)) {
      input.node = found->second;
      return;
    }
    if (!routes.empty()) return resolve_route(reader, input, found->second, routes, port);
    if (dot != std::string::npos) {
      if (port != "late" || from.node.kind == NodeKind::source) {
        problems_.error(
            "unknown-port", input.place,
            fmt::format("{}: {} has no port {}", reader.label(), from.label(), json_quote(port)),
            port == "errors" ? fmt::format("write {}; what it cannot use goes to the sink that "
                                           "dead_letters: names",
                                           name)
            : from.node.kind == NodeKind::op && !closest(port, {"late"}).empty()
                ? fmt::format("did you mean \"{}.late\"?", name)
                : fmt::format("write {}; only windows have another port: late", name));
        meant_.insert(name);
        return;
      }
      input.port = Port::late;
    }
    input.node = found->second;
  }

  static std::vector<std::string> routes_of(const DraftNode& node) {
    return node.node.op == nullptr ? std::vector<std::string>{} : node.node.op->routes();
  }

  // Those that its settings would name, if they could be read.
  static bool may_have_more_routes(const DraftNode& node) {
    return node.node.kind == NodeKind::op && (node.node.op == nullptr || node.doubts.fields);
  }

  // What a reader would write.
  static std::string readable(const DraftNode& node) {
    const auto routes = routes_of(node);
    return routes.empty() ? node.node.name : node.node.name + "." + routes.front();
  }

  void resolve_route(const DraftNode& reader, DraftInput& input, std::size_t from,
                     const std::vector<std::string>& routes, const std::string& name) {
    const DraftNode& node = draft_.nodes[from];
    const auto route = std::find(routes.begin(), routes.end(), name);
    if (route != routes.end()) {
      input.node = from;
      input.port = route_port(static_cast<std::size_t>(route - routes.begin()));
      return;
    }
    const std::string guess = name.empty() ? "" : closest(name, routes);
    meant_.insert(node.node.name);
    meant_.insert(node.node.name + "." + guess);
    const std::string one = node.node.name + "." + (guess.empty() ? routes.front() : guess);
    problems_.error(
        "unknown-port", input.place,
        name.empty()
            ? fmt::format("{}: {} has no output of its own, only routes", reader.label(),
                          node.label())
            : fmt::format("{}: {} has no route {}", reader.label(), node.label(), json_quote(name)),
        guess.empty() ? fmt::format("name a route: {}.{}", node.node.name,
                                    fmt::join(routes, fmt::format(" or {}.", node.node.name)))
                      : fmt::format("did you mean \"{}\"?", one));
  }

  // Records of a route that nobody reads would vanish.
  void unread_routes(const DraftNode& node, std::size_t i) {
    if (may_have_more_routes(node)) return;
    const std::vector<std::string> routes = routes_of(node);
    for (std::size_t r = 0; r < routes.size(); ++r) {
      const std::string name = node.node.name + "." + routes[r];
      const bool is_read =
          std::any_of(draft_.nodes.begin(), draft_.nodes.end(), [&](const auto& n) {
            return std::any_of(n.inputs.begin(), n.inputs.end(), [&](const DraftInput& input) {
              return input.node == i && input.port == route_port(r);
            });
          });
      if (is_read || meant_.count(name) > 0) continue;
      problems_.error("unread-route", node.node.place,
                      fmt::format("nothing reads route \"{}\" of {}", routes[r], node.label()),
                      fmt::format("add a node with input: {}, or remove the route", name));
    }
  }

  Draft& draft_;
  Diagnostics& problems_;
  std::set<std::string> meant_;  // nodes and routes that a wrong input probably means: not unused
  ByName by_name_;
  bool unclear_ = false;  // an input may mean any node
};

// Takes nodes whose inputs are all taken, the first in the file first.
std::vector<std::size_t> order_nodes(const Draft& draft) {
  std::vector<std::size_t> open_inputs(draft.nodes.size());
  std::vector<std::vector<std::size_t>> readers(draft.nodes.size());
  std::set<std::size_t> ready;
  for (std::size_t i = 0; i < draft.nodes.size(); ++i) {
    for (const auto& input : draft.nodes[i].inputs)
      if (input.node) {
        ++open_inputs[i];
        readers[*input.node].push_back(i);
      }
    if (open_inputs[i] == 0) ready.insert(i);
  }
  std::vector<std::size_t> order;
  while (!ready.empty()) {
    const std::size_t i = *ready.begin();
    ready.erase(ready.begin());
    order.push_back(i);
    for (const std::size_t reader : readers[i])
      if (--open_inputs[reader] == 0) ready.insert(reader);
  }
  return order;
}

// From a node that could not be ordered, some input could not be either; following those must come
// back to a node already seen. Each cycle is reported once.
void report_cycles(const Draft& draft, Diagnostics& problems) {
  const std::set<std::size_t> ordered(draft.order.begin(), draft.order.end());
  std::set<std::size_t> done = ordered;
  for (std::size_t i = 0; i < draft.nodes.size(); ++i) {
    std::vector<std::size_t> path;
    std::size_t at = i;
    while (done.count(at) == 0 && std::find(path.begin(), path.end(), at) == path.end()) {
      path.push_back(at);
      for (const auto& input : draft.nodes[at].inputs)
        if (input.node && ordered.count(*input.node) == 0) {
          at = *input.node;
          break;
        }
    }
    done.insert(path.begin(), path.end());
    const auto start = std::find(path.begin(), path.end(), at);
    if (start == path.end()) continue;
    // The path was walked against the flow of records.
    std::vector<std::size_t> cycle(start, path.end());
    std::reverse(cycle.begin(), cycle.end());
    std::rotate(cycle.begin(), std::min_element(cycle.begin(), cycle.end()), cycle.end());
    std::string text;
    for (const std::size_t node : cycle) text += draft.nodes[node].node.name + " -> ";
    const DraftNode& first = draft.nodes[cycle.front()];
    problems.error(
        "cycle", first.node.place,
        fmt::format("{} reads its own output: {}{}", first.label(), text, first.node.name),
        "let one of them read another node");
  }
}

}  // namespace

void connect(Draft& draft, Diagnostics& problems) {
  Connector connector(draft, problems);
  connector.dead_letters();
  connector.inputs();
  connector.unused();
  draft.order = order_nodes(draft);
  if (draft.order.size() < draft.nodes.size()) report_cycles(draft, problems);
  const auto none_of = [&](NodeKind kind) {
    const Section section = kind == NodeKind::source ? Section::sources : Section::sinks;
    if (draft.document.unreadable.contains(section)) return false;
    return std::none_of(draft.document.nodes.begin(), draft.document.nodes.end(),
                        [&](const DocumentNode& node) {
                          return (node.section == Section::sources) == (kind == NodeKind::source) &&
                                 (node.section == Section::sinks) == (kind == NodeKind::sink);
                        });
  };
  if (none_of(NodeKind::source))
    problems.error("no-source", draft.document.place, "the pipeline has no source",
                   "add sources: with at least one");
  if (none_of(NodeKind::sink))
    problems.error("no-sink", draft.document.place, "the pipeline has no sink",
                   "add sinks: with at least one");
}

}  // namespace streamd
