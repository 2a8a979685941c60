// SPDX-License-Identifier: Apache-2.0
// Operator enrich as a pipeline has it: from the fields of the file, bound to a schema.
#pragma once

#include "enrich/builtin_enrich.h"
#include "tests/contract/component.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace streamd::test {

inline Schema open_schema(const std::vector<std::string>& names) {
  Schema schema;
  schema.open = true;
  for (const auto& name : names) schema.fields.push_back({name, Type::any, false});
  return schema;
}

// The plan alone, with whatever problems there are.
struct EnrichPlanned {
  Registry registry;
  Diagnostics problems;
  std::unique_ptr<OperatorPlan> plan;
  Ports ports;
  EnrichPlanned(const ConfigNode& fields, const Schema& in) {
    add_enrich_operator(registry);
    plan = make_plan(registry.operators(), "enrich", fields, problems);
    if (plan) ports = plan->bind(in, problems);
  }
};

struct Enriched {
  EnrichPlanned node;
  Collector out;
  ManualClock clock;
  std::vector<std::string> log;
  std::unique_ptr<Operator> op;

  explicit Enriched(const ConfigNode& fields, const Schema& in) : node(fields, in) {
    for (const auto& problem : node.problems.all()) UNSCOPED_INFO(problem.message);
    REQUIRE(node.problems.errors() == 0);
    OperatorContext context;
    context.clock = &clock;
    context.log = [this](int, const std::string& text) { log.push_back(text); };
    op = node.plan->make(context);
  }
  Status run(Column column) { return op->on_batch(batch_of({std::move(column)}), out); }
  std::string last(const std::string& field, std::size_t i) const {
    const Value& v = out.batches.back().at(*node.ports.out.find(field), i);
    return v.is(Kind::string) || v.is(Kind::json) ? std::string(v.text())
                                                  : std::string(kind_name(v.kind()));
  }
};

}  // namespace streamd::test
