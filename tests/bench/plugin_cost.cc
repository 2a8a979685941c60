// SPDX-License-Identifier: Apache-2.0
// What a column costs that a plugin makes, beside the same column from `map`:
//   bench_plugin_cost PLUGIN.so [rounds, 40 by default]
// Both in turn, batches of 4096 records, CPU time of this thread; the median round of each.
#include "engine/core/clock.h"
#include "operators/builtin_operators.h"
#include "plugin/load.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

using namespace streamd;

namespace {

constexpr std::size_t kRows = 4096, kBatches = 500;

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

class Sum final : public Emitter {
 public:
  std::int64_t sum = 0;
  void emit(const Batch& batch, Port) override {
    const std::size_t last = batch.column_count() - 1;
    for (std::size_t i = 0; i < batch.size(); i += 512) sum += batch.at(last, i).as_int();
  }
  void drop(DropReason, std::size_t) override {}
  void reject(const Batch&, std::size_t, const Fault&) override {}
  void fail(const Batch&, std::size_t, const Fault&) override {}
};

ConfigNode scalar(std::string text) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::scalar;
  node.text = std::move(text);
  return node;
}
ConfigNode map_of(const std::string& key, ConfigNode value) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::map;
  node.entries.emplace_back(scalar(key), std::move(value));
  return node;
}

struct Subject {
  const char* name;
  std::unique_ptr<OperatorPlan> plan;
  std::unique_ptr<Operator> op;
  std::vector<double> nanos = {};
};

Subject subject(const Registry& registry, const char* type, const ConfigNode& options,
                const Schema& in) {
  Diagnostics problems;
  Subject made{type, nullptr, nullptr};
  for (const auto& known : registry.operators())
    if (known.view.type == type) made.plan = known.make(options, {}, problems).plan;
  if (made.plan) made.plan->bind(in, problems);
  if (!made.plan || problems.errors() > 0) {
    std::fprintf(stderr, "%s: %s\n", type,
                 problems.all().empty() ? "unknown" : problems.all()[0].message.c_str());
    std::exit(1);
  }
  made.op = made.plan->make({});
  return made;
}

Batch batch_of_numbers() {
  auto rows = std::make_shared<Rows>();
  auto column = std::make_shared<Column>();
  for (std::size_t r = 0; r < kRows; ++r) {
    rows->time.push_back({static_cast<std::int64_t>(r)});
    rows->floor.push_back(EventTime::min());
    rows->position.push_back(r);
    column->push_back(Value::int64(static_cast<std::int64_t>(r)));
  }
  return {rows, {column}, std::make_shared<const Origin>(Origin{"bench", "0"})};
}

double median(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  Registry registry;
  add_builtin_operators(registry);
  if (argc < 2) return 2;
  if (const Status added = plugin::add_plugin(argv[1], registry); !added) {
    std::fprintf(stderr, "%s\n", added.error().message.c_str());
    return 1;
  }
  Schema in;
  in.fields = {{"x", Type::int64}};
  std::vector<Subject> subjects;
  subjects.push_back(subject(registry, "map", map_of("set", map_of("y", scalar("x * 2"))), in));
  subjects.push_back(subject(registry, "doubled", map_of("x", scalar("x")), in));
  const Batch batch = batch_of_numbers();
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 40;
  std::int64_t sums[2] = {};
  for (int round = 0; round < rounds; ++round)
    for (std::size_t s = 0; s < subjects.size(); ++s) {
      Sum out;
      const double start = cpu_seconds();
      for (std::size_t b = 0; b < kBatches; ++b)
        if (!subjects[s].op->on_batch(batch, out)) return 1;
      subjects[s].nanos.push_back((cpu_seconds() - start) * 1e9 / double(kRows * kBatches));
      sums[s] = out.sum;
    }
  if (sums[0] != sums[1] || sums[0] == 0) {
    std::fprintf(stderr, "the two do not agree\n");
    return 1;
  }
  const double map = median(subjects[0].nanos), plugin = median(subjects[1].nanos);
  std::printf("map %.2f ns a record, plugin %.2f ns, ratio %.2f\n", map, plugin, plugin / map);
  return 0;
}
