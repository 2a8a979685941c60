// SPDX-License-Identifier: Apache-2.0
// One operator, bound to a schema, with what came out of it.
#pragma once

#include "operators/builtin_operators.h"
#include "tests/contract/component.h"

namespace streamd::test {

struct OperatorFixture {
  Registry registry;
  Diagnostics problems;
  std::unique_ptr<OperatorPlan> plan;
  Ports ports;
  Collector out;

  OperatorFixture(const std::string& type, const ConfigNode& fields, const Schema& in) {
    add_builtin_operators(registry);
    plan = make_plan(registry.operators(), type, fields, problems);
    if (plan) ports = plan->bind(in, problems);
  }
  // One that is not built in.
  OperatorFixture(Registry known, const std::string& type, const ConfigNode& fields,
                  const Schema& in)
      : registry(std::move(known)) {
    plan = make_plan(registry.operators(), type, fields, problems);
    if (plan) ports = plan->bind(in, problems);
  }
  // An operator that tells its inputs apart.
  OperatorFixture(const std::string& type, const ConfigNode& fields,
                  const std::vector<Schema>& sides) {
    add_builtin_operators(registry);
    plan = make_plan(registry.operators(), type, fields, problems);
    if (plan) ports = plan->bind_sides(sides, problems);
  }
  void run(const Batch& batch) {
    REQUIRE(problems.errors() == 0);
    REQUIRE(plan->make({})->on_batch(batch, out).has_value());
  }
  const Value& value(const std::string& field, std::size_t i) const {
    REQUIRE(out.batches.size() == 1);
    REQUIRE(i < out.batches[0].size());
    return out.batches[0].at(*ports.out.find(field), i);
  }
};

inline Schema open_schema(const std::vector<std::string>& names) {
  Schema schema;
  schema.open = true;
  for (const auto& name : names) schema.fields.push_back({name, Type::any, false});
  return schema;
}

inline Column strings(const std::vector<const char*>& texts) {
  Column column;
  for (const char* text : texts) column.push_back(text ? Value::string(text) : Value::missing());
  return column;
}

}  // namespace streamd::test
