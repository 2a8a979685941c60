// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/check.h"

#include "engine/api/stand_in.h"
#include "engine/testing/given.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace streamd::testing {
namespace {

using NodeKind = PlanNode::Kind;
using Names = std::vector<std::string>;

std::string known_or(const std::string& guess, const Names& known, const char* none) {
  if (!guess.empty()) return fmt::format("did you mean \"{}\"?", guess);
  return known.empty() ? none : fmt::format("there are {}", fmt::join(known, ", "));
}

void unknown(const char* code, const char* what, const std::string& name, Place place,
             const Names& known, Diagnostics& problems) {
  problems.error(code, place, fmt::format("the pipeline has no {} {}", what, json_quote(name)),
                 known_or(closest(name, known), known, "the pipeline has none"));
}

bool asks(const PlanNode& node) {
  return dynamic_cast<const AsksStandIn*>(node.source.get()) != nullptr;
}

bool has(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class NameCheck {
 public:
  NameCheck(const Plan& plan, const ConfigNode& document, Diagnostics& problems)
      : plan_(plan), document_(document), problems_(problems) {
    for (const auto& node : plan.nodes) {
      if (node.name.find('+') != std::string::npos) continue;  // shared work has no name in a file
      all_.push_back(node.name);
      if (node.kind == NodeKind::source) sources_.push_back(node.name);
      if (node.kind == NodeKind::sink) sinks_.push_back(node.name);
      if (node.type == "enrich" || asks(node)) asking_.push_back(node.name);
    }
    for (const auto& list : plan.lists) lists_.push_back(list.name);
    if (!has(all_, kDeadLetters)) {
      all_.push_back(kDeadLetters);
      sinks_.push_back(kDeadLetters);
    }
  }

  void step(const Step& step) {
    for (const auto& [name, place, given] : step.in) {
      if (!has(sources_, name))
        unknown("unknown-source", "source", name, place, sources_, problems_);
      check_given(given, problems_);
    }
    for (const auto& [name, place, times] : step.fails) {
      if (!has(sinks_, name)) unknown("unknown-sink", "sink", name, place, sinks_, problems_);
      if (times > 10'000)
        problems_.error("rule", place, "a sink fails at most 10000 times",
                        "write a smaller number");
    }
    lists(step.lists);
    answers(step.answers, true);
    for (const auto& [name, place, expected] : step.expect) expect(name, place, expected);
  }

  void lists(const NamedList<EntryList>& lists) {
    for (const auto& [name, place, entries] : lists)
      if (!has(lists_, name)) unknown("unknown-list", "list", name, place, lists_, problems_);
  }

  void answers(const NamedList<AnswerList>& answers, bool in_step) {
    for (const auto& [name, place, list] : answers) {
      if (!has(asking_, name)) {
        not_asking(name, place);
        continue;
      }
      const bool is_file = asks_file(name);
      if (is_file && in_step)
        problems_.error(
            "rule", place,
            fmt::format("what the file of {} holds can't change within a case", json_quote(name)),
            "put it below answers of the file");
      for (const auto& answer : list.items)
        if (answer.key.empty() == is_file)
          problems_.error(
              "rule", answer.place,
              is_file ? fmt::format("{} asks a file: each answer needs a key", json_quote(name))
                      : fmt::format("{} asks a service: answers have a path, not a key",
                                    json_quote(name)),
              is_file ? "write {key: 192.0.2.7, json: {…}}"
                      : "write {path: /hosts/192.0.2.7, json: {…}}");
    }
  }

  // A source asks, or it hands out what the case gives.
  void one_way(const TestFile& file, const Case& the_case) {
    const auto asking = asking_of(file, the_case, plan_);
    each_step(the_case, [&](const Step& step) {
      for (const auto& [name, place, given] : step.in)
        if (asking.contains(name))
          problems_.error("rule", place,
                          fmt::format("{} gets answers, so it asks by itself", json_quote(name)),
                          "give it records or answers, not both in one case");
    });
  }

 private:
  void not_asking(const std::string& name, Place place) {
    if (!has(all_, name))
      return unknown("unknown-node", "enrich operator or source that asks over HTTP called", name,
                     place, asking_, problems_);
    const bool source = has(sources_, name);
    problems_.error("rule", place, fmt::format("{} asks nobody over HTTP", json_quote(name)),
                    source ? fmt::format("give it records: in: {{{}: […]}}", name)
                           : known_or("", asking_, "the pipeline has nobody who does"));
  }

  bool asks_file(const std::string& name) const {
    if (has(sources_, name)) return false;
    const ConfigNode* operators = document_.find("operators");
    const ConfigNode* node = operators == nullptr ? nullptr : operators->find(name);
    const ConfigNode* kind = node == nullptr ? nullptr : node->find("kind");
    return kind == nullptr || kind->text == "table" || kind->text == "mmdb";
  }

  const PlanNode* node_of(const std::string& name) const {
    for (const auto& node : plan_.nodes)
      if (node.name == name) return &node;
    return nullptr;
  }

  void expect(const std::string& name, Place place, const Expected& expected) {
    const std::size_t dot = has(all_, name) ? std::string::npos : name.rfind('.');
    const std::string node = name.substr(0, dot);
    if (!has(all_, node)) return unknown("unknown-node", "node", node, place, all_, problems_);
    if (dot != std::string::npos && expected.books())
      problems_.error("rule", place, "a port has rows and a count, but no books of its own",
                      fmt::format("expect in, out and dropped of {}", node));
    const PlanNode* own = node_of(node);
    const Names routes = own != nullptr && own->op ? own->op->routes() : Names{};
    if (expected.sent && !has(sinks_, name))
      problems_.error("rule", place,
                      fmt::format("{} is no sink, and sends nothing", json_quote(name)),
                      "expect its rows");
    const bool wants_rows = expected.rows || expected.count;
    if (dot == std::string::npos && wants_rows && !routes.empty())
      problems_.error("unknown-port", place,
                      fmt::format("{} has no output of its own, only routes", json_quote(node)),
                      fmt::format("name a route: {}.{}", node, fmt::join(routes, ", ")));
    if (dot != std::string::npos && !routes.empty() && !has(routes, name.substr(dot + 1)))
      problems_.error(
          "unknown-port", place,
          fmt::format("{} has no route {}", json_quote(node), json_quote(name.substr(dot + 1))),
          fmt::format("name a route: {}.{}", node, fmt::join(routes, ", ")));
    reasons(expected, place);
  }

  void reasons(const Expected& expected, Place) {
    if (!expected.dropped) return;
    const Names known(kDropReasonNames.begin(), kDropReasonNames.end());
    for (const auto& [reason, where, count] : *expected.dropped)
      if (!has(known, reason))
        problems_.error("unknown-value", where, "unknown reason " + json_quote(reason),
                        known_or(closest(reason, known), known, ""));
  }

  const Plan& plan_;
  const ConfigNode& document_;
  Diagnostics& problems_;
  Names all_, sources_, sinks_, lists_, asking_;
};

void missing_lists(const TestFile& file, const Plan& plan, Place place, Diagnostics& problems) {
  for (const auto& list : plan.lists) {
    if (list.type == "inline" || find(file.lists, list.name) != nullptr) continue;
    const bool everywhere = std::all_of(file.cases.begin(), file.cases.end(), [&](const Case& c) {
      bool given = false;
      each_step(c, [&](const Step& step) { given = given || find(step.lists, list.name); });
      return given;
    });
    if (everywhere) continue;
    problems.error(
        "missing-key", place,
        fmt::format("list {} of the pipeline is of type {}, which is not asked in a test",
                    json_quote(list.name), list.type),
        fmt::format("say what it holds: lists: {{{}: [192.0.2.7]}}, or []", list.name));
  }
}

}  // namespace

void check_names(const TestFile& file, const Plan& plan, const ConfigNode& document, Place place,
                 Diagnostics& problems) {
  NameCheck check(plan, document, problems);
  check.lists(file.lists);
  check.answers(file.answers, false);
  missing_lists(file, plan, place, problems);
  for (const Case& c : file.cases) {
    each_step(c, [&](const Step& step) { check.step(step); });
    check.one_way(file, c);
  }
}

std::set<std::string> asking_of(const TestFile& file, const Case& the_case, const Plan& plan) {
  std::set<std::string> named, asking;
  const auto add = [&](const NamedList<AnswerList>& answers) {
    for (const auto& [name, place, list] : answers) named.insert(name);
  };
  add(file.answers);
  each_step(the_case, [&](const Step& step) { add(step.answers); });
  for (const auto& node : plan.nodes)
    if (named.contains(node.name) && asks(node)) asking.insert(node.name);
  return asking;
}

std::set<std::string> places_of(const Case& the_case, const Plan& plan) {
  std::set<std::string> places;
  each_step(the_case, [&](const Step& step) {
    for (const auto& [name, place, expected] : step.expect)
      if (expected.looks_at_records()) places.insert(name);
  });
  places.erase(kDeadLetters);
  for (const auto& node : plan.nodes) {
    if (node.kind == NodeKind::sink) places.erase(node.name);
    // Where a node is called like the dead letters, it is meant.
    if (node.name == kDeadLetters && node.kind != NodeKind::sink) places.insert(node.name);
  }
  return places;
}

namespace {

void check_rows(const std::string& place, const std::vector<ConfigNode>& rows, const Schema& schema,
                Diagnostics& problems) {
  Names known;
  for (const auto& field : schema.fields) known.push_back(field.name);
  for (const auto& row : rows)
    for (const auto& [key, value] : row.entries) {
      const bool there =
          std::any_of(known.begin(), known.end(), [&name = key.text](const std::string& field) {
            return name == field || (name.starts_with(field) && name[field.size()] == '.') ||
                   (field.starts_with(name) && field[name.size()] == '.');
          });
      if (there) continue;
      problems.error(
          "unknown-field", key.place,
          fmt::format("what comes to {} has no field {}", json_quote(place), json_quote(key.text)),
          known_or(closest(key.text, known), known, ""));
    }
}

void check_sent(const std::string& sink, Place place, const std::vector<ConfigNode>& rows,
                std::span<const SentField> fields, Diagnostics& problems) {
  Names known;
  for (const auto& field : fields) known.emplace_back(field.name);
  if (known.empty())
    problems.error("rule", place, fmt::format("what {} sends can't be seen", json_quote(sink)),
                   "its type does not say what it makes of a record: expect its rows");
  for (const auto& row : rows)
    for (const auto& [key, value] : row.entries) {
      const std::string name = key.text.substr(0, key.text.find('.'));
      if (known.empty() || has(known, name)) continue;
      problems.error("unknown-field", key.place,
                     fmt::format("{} sends no {}", json_quote(sink), json_quote(name)),
                     known_or(closest(name, known), known, ""));
    }
}

}  // namespace

void check_fields(const Case& the_case, const Bench& bench, Diagnostics& problems) {
  each_step(the_case, [&](const Step& step) {
    for (const auto& [name, place, expected] : step.expect) {
      const auto schema = bench.schemas.find(name);
      if (schema != bench.schemas.end() && !schema->second.open && expected.rows)
        check_rows(name, *expected.rows, schema->second, problems);
      const auto sent = bench.sent_fields.find(name);
      if (sent != bench.sent_fields.end() && expected.sent)
        check_sent(name, place, *expected.sent, sent->second, problems);
    }
  });
}

}  // namespace streamd::testing
