// SPDX-License-Identifier: Apache-2.0
#include "plugin/trial.h"

#include "engine/core/key.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace streamd::plugin {
namespace {

constexpr std::int64_t kStart = 1'700'000'000'000'000;
constexpr std::uint64_t kSeed = 7;

// Counts what becomes of records.
class Counter final : public Emitter {
 public:
  std::size_t out = 0, dropped = 0, rejected = 0;
  void emit(const Batch& batch, Port) override { out += batch.size(); }
  void drop(DropReason, std::size_t records) override { dropped += records; }
  void reject(const Batch&, std::size_t, const Fault&) override { ++rejected; }
  void fail(const Batch&, std::size_t, const Fault&) override {}
};

class Store final : public StateWriter, public StateReader {
 public:
  void put(unsigned group, std::string_view key, std::string_view value) override {
    rows_[{group, std::string(key)}] = value;
  }
  void erase(unsigned group, std::string_view key) override {
    rows_.erase({group, std::string(key)});
  }
  void erase_range(unsigned group, std::string_view from, std::string_view to) override {
    rows_.erase(rows_.lower_bound({group, std::string(from)}),
                rows_.lower_bound({group, std::string(to)}));
  }
  Status scan(const Visit& visit) override {
    for (const auto& [at, value] : rows_) STREAMD_TRY(visit(at.first, at.second, value));
    return {};
  }

 private:
  std::map<std::pair<unsigned, std::string>, std::string> rows_;
};

// One of each kind that a field may have, and texts that trip people up.
std::vector<Value> odd_values() {
  static const Value kItems[] = {Value::int64(1), Value::string("two"), Value::null()};
  return {Value::missing(),
          Value::null(),
          Value::boolean(true),
          Value::int64(INT64_MIN),
          Value::int64(INT64_MAX),
          Value::uint64(UINT64_MAX),
          Value::float64(0.0 / 0.0),
          Value::float64(-1e308),
          Value::string(""),
          Value::string("text"),
          Value::string(std::string_view("with\0zero", 9)),
          Value::string("\xF0\x9F\x94\xA5 \xE2\x80\xAE"),
          Value::timestamp({INT64_MIN}),
          Value::timestamp({kStart}, 999),
          Value::duration(-1),
          Value::json(R"({"a":[1,2]})"),
          Value::bytes("\xFF\xFE"),
          Value::ip(std::string_view("\x01\x02\x03\x04", 4)),
          Value::cidr(std::string_view("\x0A\x00\x00\x00\x08", 5)),
          Value::list(kItems, 3)};
}

Batch batch_of(const Schema& schema, const std::vector<Value>& values, std::size_t rows) {
  auto about = std::make_shared<Rows>();
  for (std::size_t r = 0; r < rows; ++r) {
    about->time.push_back({kStart + static_cast<std::int64_t>(r) * 1000});
    about->floor.push_back(EventTime::min());
    about->position.push_back(r);
  }
  std::vector<ColumnPtr> columns;
  for (std::size_t c = 0; c < schema.fields.size(); ++c) {
    auto column = std::make_shared<Column>();
    for (std::size_t r = 0; r < rows; ++r) column->push_back(values[(r + c) % values.size()]);
    columns.push_back(std::move(column));
  }
  return {about, std::move(columns), std::make_shared<const Origin>(Origin{"trial", "0"})};
}

std::string first_problem(const Diagnostics& problems) {
  return problems.all().empty() ? "it was refused without a reason" : problems.all()[0].message;
}

Status refused(const std::string& why) { return fail(ErrorKind::plugin, why); }

struct Trial {
  std::string name;
  std::unique_ptr<OperatorPlan> plan;
  Schema in;
  const Tell& tell;

  std::unique_ptr<Operator> make() const {
    OperatorContext context;
    context.node = "trial";
    context.hash_seed = kSeed;
    return plan->make(context);
  }
  // Every record must be accounted for, unless records are made of them.
  Status feed(Operator& op, const Batch& batch) const {
    Counter counter;
    STREAMD_TRY(op.on_batch(batch, counter));
    const std::size_t known = counter.out + counter.dropped + counter.rejected;
    if (plan->passes_records() && known != batch.size())
      return refused(fmt::format("of {} records {} are accounted for", batch.size(), known));
    return {};
  }
  void batch(const char* what, const Batch& batch) const {
    tell(fmt::format("{}: {}", name, what), feed(*make(), batch));
  }
  Status restart(const Batch& batch) const {
    Store store;
    const auto first = make();
    STREAMD_TRY(feed(*first, batch));
    STREAMD_TRY(first->checkpoint(store));
    const auto second = make();
    STREAMD_TRY(second->restore(store));
    if (second->live_keys() != first->live_keys())
      return refused(
          fmt::format("{} keys before, {} after", first->live_keys(), second->live_keys()));
    Counter counter;
    STREAMD_TRY(second->on_watermark({kStart + 1'000'000'000}, counter));
    return second->on_watermark(EventTime::max(), counter);
  }
};

void try_operator(Trial trial) {
  const std::vector<Value> odd = odd_values();
  const Batch mixed = batch_of(trial.in, odd, 500);
  trial.batch("one record", batch_of(trial.in, {Value::string("a")}, 1));
  trial.batch("records without any field", batch_of(trial.in, {Value::missing()}, 100));
  trial.batch("values of all kinds", mixed);
  std::vector<std::uint32_t> every_third;
  for (std::uint32_t row = 0; row < 500; row += 3) every_third.push_back(row);
  trial.batch("a selection of records", mixed.select(every_third));
  trial.batch("as many records as a batch may have",
              batch_of(trial.in, {Value::string("10.0.0.1"), Value::string("b")}, 4096));
  if (trial.plan->stateful())
    trial.tell(trial.name + ": a restart from a checkpoint", trial.restart(mixed));
}

template <class Plan>
std::unique_ptr<Plan> make(const std::vector<Registered<Plan>>& known, const SpecView& view,
                           const ConfigNode& node, Diagnostics& problems) {
  for (const auto& component : known)
    if (component.view.type == view.type) return component.make(node, {}, problems).plan;
  return nullptr;
}

}  // namespace

void try_component(const Registry& registry, const SpecView& view, const ConfigNode& example,
                   const Tell& tell) {
  const std::string name = fmt::format("{} {}", view.kind, view.type);
  Diagnostics problems;
  std::unique_ptr<OperatorPlan> op;
  bool made = false;
  if (view.kind == "operator")
    made = (op = make(registry.operators(), view, example, problems)) != nullptr;
  else if (view.kind == "source")
    made = make(registry.sources(), view, example, problems) != nullptr;
  else
    made = make(registry.sinks(), view, example, problems) != nullptr;
  const char* const what = view.examples.empty() ? "no settings at all" : "its own example";
  tell(fmt::format("{}: {}", name, what), made ? Status{} : refused(first_problem(problems)));

  ConfigNode strange = example;
  ConfigNode key;
  key.shape = ConfigNode::Shape::scalar;
  key.text = "no_such_option";
  strange.entries.emplace_back(key, key);
  Diagnostics found;
  const bool taken =
      view.kind == "operator" ? make(registry.operators(), view, strange, found) != nullptr
      : view.kind == "source" ? make(registry.sources(), view, strange, found) != nullptr
                              : make(registry.sinks(), view, strange, found) != nullptr;
  tell(name + ": an option that it does not know",
       taken || found.errors() == 0 ? refused("it was accepted") : Status{});
  if (!op) return;

  Needs needs = op->needs({});
  Schema in;
  for (const auto& field : needs.fields) in.fields.push_back({field, Type::any, false});
  Diagnostics binding;
  op->bind(in, binding);
  tell(name + ": fields of any type",
       binding.errors() == 0 ? Status{} : refused(first_problem(binding)));
  if (binding.errors() == 0) try_operator({name, std::move(op), in, tell});
}

void try_function(const expr::AddedFunction& function, const Tell& tell) {
  const std::vector<Value> odd = odd_values();
  Status result;
  for (std::size_t count = function.min_args; count <= function.max_args && result; ++count)
    for (std::size_t shift = 0; shift < odd.size() && result; ++shift) {
      std::array<Value, 32> args;
      for (std::size_t a = 0; a < count; ++a) {
        args[a] = odd[(shift + a) % odd.size()];
        if (args[a].is(Kind::missing)) args[a] = Value::null();
      }
      Arena arena;
      const Value first = function.call(arena, args.data(), count);
      const Value second = function.call(arena, args.data(), count);
      std::string a, b;
      if (!first.is(Kind::error)) append_key(first, a);
      if (!second.is(Kind::error)) append_key(second, b);
      if (a != b) result = refused("the same arguments gave two results");
    }
  tell(fmt::format("function {}(): arguments of all kinds", function.name), result);
}

}  // namespace streamd::plugin
