// SPDX-License-Identifier: Apache-2.0
#include "engine/api/field_paths.h"
#include "engine/core/key.h"
#include "operators/builtin_operators.h"
#include "operators/fill_rule.h"
#include "operators/key_states.h"
#include "operators/keyed_plan.h"
#include "operators/last_values.h"
#include "operators/outer_objects.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace streamd {
namespace {

struct FillConfig {
  std::vector<std::pair<std::string, FillRule>> fields;
  std::vector<std::string> drop;
  std::vector<FillWhen> when = {FillWhen::missing, FillWhen::null};
  std::vector<ExprText> by;
  Duration keep = Duration::from_seconds(3600);
  std::uint64_t max_keys = 100'000;
};

struct FillStep {
  std::optional<std::size_t> from;  // column of the field; nullopt: missing in every record
  std::size_t to = 0;
  Value value;                           // a constant; its text lives in the rule
  std::optional<expr::Program> program;  // or what this gives
  std::optional<std::size_t> last;       // or the last value: number among those of the key
};

struct FillShape {
  FillConfig config;
  bool missing = false, null = false, empty = false;
  std::vector<FillStep> steps;
  std::vector<std::optional<std::size_t>> required;  // columns of the output
  std::size_t columns = 0;
  std::size_t lasts = 0;
  OuterObjects outer;

  bool lacks(const Value& v) const {
    switch (v.kind()) {
      case Kind::missing: return missing;
      case Kind::null: return null;
      case Kind::string: return empty && v.text().empty();
      case Kind::json: return empty && (v.text() == "[]" || v.text() == "{}");
      case Kind::list:
      case Kind::map: return empty && v.size() == 0;
      default: return false;
    }
  }
};

class Fill final : public Operator {
 public:
  Fill(const FillShape& shape, const KeyColumns& keys, const OperatorContext& context)
      : shape_(shape),
        seed_(context.hash_seed),
        keys_(keys),
        states_({context.worker, context.workers}, context.hash_seed,
                {shape.config.keep.micros,
                 window::Share{context.worker, context.workers}.part_of(shape.config.max_keys)}) {}

  Status restore(StateReader& state) override { return states_.restore(state); }
  Status checkpoint(StateWriter& state) override {
    states_.checkpoint(state);
    return {};
  }
  Status on_watermark(EventTime w, Emitter&) override {
    states_.advance(w);
    return {};
  }
  std::size_t live_keys() const override { return states_.size(); }

  Status on_batch(const Batch& in, Emitter& out) override {
    if (in.empty()) return {};
    arena_ = std::make_shared<Arena>();
    gone_.assign(in.physical_rows(), 0);
    made_.clear();
    for (const FillStep& step : shape_.steps) {
      auto column = step.from ? std::make_shared<Column>(*in.column(*step.from))
                              : std::make_shared<Column>(in.physical_rows());
      if (step.program)
        fill_from(in, step, *column, out);
      else if (!step.last)
        fill_value(in, step, *column);
      made_.push_back(std::move(column));
    }
    if (shape_.lasts > 0) fill_last(in, out);
    give(in, out);
    return {};
  }

 private:
  void fill_value(const Batch& in, const FillStep& step, Column& column) const {
    for (std::size_t i = 0; i < in.size(); ++i)
      if (Value& value = column[in.physical(i)]; shape_.lacks(value)) value = step.value;
  }

  void fill_from(const Batch& in, const FillStep& step, Column& column, Emitter& out) {
    std::vector<std::uint32_t> rows, index;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const std::uint32_t row = in.physical(i);
      if (gone_[row] != 0 || !shape_.lacks(column[row])) continue;
      rows.push_back(row);
      index.push_back(static_cast<std::uint32_t>(i));
    }
    if (rows.empty()) return;
    std::vector<Value> values;
    step.program->evaluate(in.select(rows), *arena_, values);
    for (std::size_t k = 0; k < rows.size(); ++k) {
      const Value& value = values[rows[k]];
      if (value.is(Kind::error)) {
        out.reject(in, index[k], {"expression", value.text()});
        gone_[rows[k]] = 1;
      } else {
        column[rows[k]] = value;
      }
    }
  }

  void fill_last(const Batch& in, Emitter& out) {
    std::size_t shed = 0;
    keys_.start(in);
    for (std::size_t i = 0; i < in.size(); ++i) {
      const std::uint32_t row = in.physical(i);
      if (gone_[row] != 0) continue;
      key_.clear();
      if (!keys_.append(row, key_)) {
        out.reject(in, i, keys_.fault());
        gone_[row] = 1;
      } else if (!fill_last_row(in, row)) {
        ++shed;
        gone_[row] = 1;
      }
    }
    if (shed > 0) out.drop(DropReason::shed, shed);
  }

  // False: there is no room for the key.
  bool fill_last_row(const Batch& in, std::uint32_t row) {
    const std::int64_t time = in.rows().time[row].micros;
    bool brings = false;
    for (std::size_t s = 0; s < shape_.steps.size(); ++s)
      brings = brings || (shape_.steps[s].last && !shape_.lacks((*made_[s])[row]));
    LastValues* last = nullptr;
    if (brings) {
      const std::uint64_t hash = key_hash(in, row, key_, seed_);
      last = states_.change(key_, hash, time, in.rows().floor[row].micros);
      if (last == nullptr) return false;
    } else {
      last = states_.find(key_);
      if (last == nullptr) return true;
    }
    for (std::size_t s = 0; s < shape_.steps.size(); ++s) {
      const auto number = shape_.steps[s].last;
      if (!number) continue;
      Value& value = (*made_[s])[row];
      if (shape_.lacks(value))
        value = last->get(*number, time, shape_.config.keep.micros, *arena_, value);
      else
        last->set(*number, time, value);
    }
    return true;
  }

  void give(const Batch& in, Emitter& out) {
    std::vector<ColumnPtr> columns = in.columns();
    columns.resize(shape_.columns);
    for (std::size_t s = 0; s < shape_.steps.size(); ++s)
      columns[shape_.steps[s].to] = std::move(made_[s]);
    std::vector<std::uint32_t> rows;
    std::size_t dropped = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const std::uint32_t row = in.physical(i);
      if (gone_[row] != 0) continue;
      const bool lacks = std::any_of(
          shape_.required.begin(), shape_.required.end(),
          [&](const auto& c) { return shape_.lacks(c ? (*columns[*c])[row] : Value::missing()); });
      if (lacks)
        ++dropped;
      else
        rows.push_back(row);
    }
    if (dropped > 0) out.drop(DropReason::filtered, dropped);
    if (rows.empty()) return;
    Batch made = shape_.outer.update(in.with_columns(std::move(columns)), *arena_);
    made.keep(arena_);
    out.emit(rows.size() == in.size() ? made : made.select(std::move(rows)));
  }

  const FillShape& shape_;
  const std::uint64_t seed_;
  KeyReader keys_;
  KeyStates<LastValues> states_;
  std::shared_ptr<Arena> arena_;
  std::string key_;
  std::vector<char> gone_;  // by physical row: rejected or shed
  std::vector<std::shared_ptr<Column>> made_;
};

class FillPlan final : public KeyedPlan {
 public:
  FillPlan(FillConfig config, KeyParts key, Place place)
      : KeyedPlan(std::move(key)), place_(place) {
    for (const FillWhen when : config.when) {
      shape_.missing = shape_.missing || when == FillWhen::missing;
      shape_.null = shape_.null || when == FillWhen::null;
      shape_.empty = shape_.empty || when == FillWhen::empty;
    }
    for (const auto& [name, rule] : config.fields) shape_.lasts += rule.last ? 1 : 0;
    shape_.config = std::move(config);
  }
  void parse(Diagnostics& problems) {
    for (const auto& [name, rule] : shape_.config.fields)
      from_.push_back(rule.from ? expr::Expression::parse(*rule.from, problems) : std::nullopt);
  }

  Needs needs(const Needs& wanted) const override {
    Needs needs = wanted;
    key().fields(needs.fields);
    for (const auto& [name, rule] : shape_.config.fields) needs.fields.insert(name);
    for (const auto& from : from_)
      if (from) from->fields(needs.fields);
    needs.fields.insert(shape_.config.drop.begin(), shape_.config.drop.end());
    return needs;
  }
  Ports bind(const Schema& in, Diagnostics& problems) override {
    Ports ports{in, false};
    shape_.steps.clear();
    shape_.required.clear();
    if (shape_.lasts > 0) bind_key(in, problems);
    std::size_t last = 0;
    std::vector<std::string> filled;
    for (std::size_t f = 0; f < shape_.config.fields.size(); ++f) {
      const auto& [name, rule] = shape_.config.fields[f];
      FillStep step;
      refuse_inside(in, name, place_, problems);
      step.from = in.find(name);
      if (rule.last)
        step.last = last++;
      else if (from_[f])
        step.program = from_[f]->bind(in, problems);
      else
        step.value = rule.constant();
      auto to = ports.out.find(name);
      if (!to) {
        to = ports.out.fields.size();
        std::erase(ports.out.hidden, name);
        ports.out.fields.push_back({name, Type::any, true});
      }
      step.to = *to;
      Field& field = ports.out.fields[*to];
      field.derived = true;
      if (field.type != (step.program ? step.program->type() : type_of(step.value.kind())))
        field.type = Type::any;
      if (step.from) filled.push_back(name);
      shape_.steps.push_back(std::move(step));
    }
    shape_.columns = ports.out.fields.size();
    shape_.outer.bind(ports.out, filled);
    for (const std::string& name : shape_.config.drop) {
      require_field(ports.out, name, place_, problems);
      shape_.required.push_back(ports.out.find(name));
    }
    return ports;
  }
  bool stateful() const override { return shape_.lasts > 0; }
  std::string state_signature() const override {
    if (!stateful()) return {};
    std::string text = "fill " + key().text() + " last";
    for (const auto& [name, rule] : shape_.config.fields)
      if (rule.last) text += " " + json_quote(name);
    return text;
  }
  std::unique_ptr<Operator> make(const OperatorContext& context) const override {
    return std::make_unique<Fill>(shape_, keys(), context);
  }

 private:
  Place place_;
  std::vector<std::optional<expr::Expression>> from_;  // per field
  FillShape shape_;
};

Spec<FillConfig> fill_spec() {
  using C = FillConfig;
  return Spec<C>("fill")
      .summary("Gives fields that are missing a value, or drops records that lack them.")
      .details(
          "A field lacks a value when it is what `when` says: `missing` (not there), `null`, or "
          "`empty` (an empty text, array or object). It gets a constant, what a CEL expression "
          "gives (`from`), or the last value that a record of the same key had (`last`). A value "
          "that is there is never changed. All see the record as it came in.\n\n"
          "After that, a record that still lacks one of the fields in `drop` is counted as "
          "`filtered`. A record that needs an expression that fails becomes a dead letter with "
          "code `expression`: write `has(b) ? b : null` where b may be missing.\n\n"
          "`last` remembers the newest value by event time, so records out of order do not bring "
          "an old one back, and gives it to records that are not older than it and newer by "
          "less than `keep`. A record without a `by` field becomes a dead letter with code "
          "`missing-field`. With `max_keys` held, a record that brings a value of a new key is "
          "counted as `shed`.")
      .promise("exact, also after a crash")
      .field(
          &C::fields,
          {.name = "fields",
           .help = "Per field a constant, {value: constant}, {from: expression} or {last: true}.",
           .examples = {"{transport: tcp, country: {from: location.country_code}, os: {last: "
                        "true}}"}})
      .field(&C::drop, {.name = "drop",
                        .help = "Fields that a record must have after that.",
                        .examples = {"[ip_str, port]"}})
      .field(&C::when, {.name = "when", .help = "What counts as lacking a value."})
      .field(&C::by, {.name = "by",
                      .help = "Fields or CEL expressions that make the key of `last`.",
                      .examples = {"[ip_str]"}})
      .field(&C::keep, {.name = "keep", .help = "How long a last value is good."})
      .field(&C::max_keys, {.name = "max_keys",
                            .help = "Keys held at once for `last`, over all workers.",
                            .advanced = true})
      .rule("fill needs fields or drop",
            [](const C& c) { return !c.fields.empty() || !c.drop.empty(); })
      .rule("when must name at least one of missing, null, empty",
            [](const C& c) { return !c.when.empty(); })
      .rule("last needs by, and by needs last",
            [](const C& c) {
              const bool last = std::any_of(c.fields.begin(), c.fields.end(),
                                            [](const auto& field) { return field.second.last; });
              return last == !c.by.empty();
            })
      .rule("keep must be longer than 0", [](const C& c) { return c.keep.micros > 0; })
      .rule("max_keys must be at least 1", [](const C& c) { return c.max_keys > 0; })
      .example("A usual value, and only records with an address",
               "fields: {transport: tcp}\ndrop: [ip_str]\n")
      .example("The system that was last seen on the host",
               "fields: {os: {last: true}}\nby: [ip_str]\nkeep: 7d\n");
}

}  // namespace

void add_fill_operator(Registry& registry) {
  registry.add_operator(fill_spec(),
                        [](FillConfig config, const ConfigNode& node,
                           Diagnostics& problems) -> std::unique_ptr<OperatorPlan> {
                          auto key = KeyParts::parse(config.by, problems);
                          auto plan = std::make_unique<FillPlan>(std::move(config), std::move(key),
                                                                 node.place);
                          plan->parse(problems);
                          return plan;
                        });
}

}  // namespace streamd
