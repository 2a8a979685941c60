// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/short_decimal.h"
#include "operators/builtin_operators.h"
#include "operators/conversion.h"
#include "operators/outer_objects.h"

#include <algorithm>
#include <string>
#include <utility>

namespace streamd {
namespace {

enum class OnError : std::uint8_t { dead_letter, null, keep };

struct ConvertTarget {
  ConvertType type = ConvertType::string;
  std::string format = "rfc3339";
  Place place;
};

struct ConvertConfig {
  std::vector<std::pair<std::string, ConvertTarget>> fields;
  OnError on_error = OnError::dead_letter;
};

}  // namespace

template <>
struct EnumNames<ConvertType> {
  static constexpr std::array<std::pair<ConvertType, std::string_view>, 6> values = {
      {{ConvertType::int64, "int"},
       {ConvertType::float64, "double"},
       {ConvertType::boolean, "bool"},
       {ConvertType::string, "string"},
       {ConvertType::timestamp, "timestamp"},
       {ConvertType::ip, "ip"}}};
};

template <>
struct EnumNames<OnError> {
  static constexpr std::array<std::pair<OnError, std::string_view>, 3> values = {
      {{OnError::dead_letter, "dead_letter"}, {OnError::null, "null"}, {OnError::keep, "keep"}}};
};

namespace {

Spec<ConvertTarget> target_spec() {
  using C = ConvertTarget;
  return Spec<C>("conversion")
      .field(&C::type, {.name = "type", .help = "The type.", .required = true})
      .field(&C::format, {.name = "format",
                          .help = "Timestamps only: unix, unix_ms, rfc3339, clf, or a pattern such "
                                  "as %d/%b/%Y %H:%M:%S."});
}

}  // namespace

// The name of a type, or {type: timestamp, format: …}.
template <>
struct FieldType<ConvertTarget> {
  static bool read(const ConfigNode& node, ConvertTarget& into, Diagnostics& problems) {
    into.place = node.place;
    if (node.shape != ConfigNode::Shape::map)
      return FieldType<ConvertType>::read(node, into.type, problems);
    auto target = target_spec().parse(node, problems);
    if (!target) return false;
    into = std::move(*target);
    into.place = node.place;
    if (node.find("format") != nullptr && into.type != ConvertType::timestamp) {
      report_rule(node, "format is for timestamps", problems);
      return false;
    }
    return true;
  }
  static std::string name() { return "type"; }
  static std::string json_schema() {
    return R"({"anyOf":[)" + FieldType<ConvertType>::json_schema() + "," +
           object_schema(target_spec().view()) + "]}";
  }
  static std::string show(const ConvertTarget& v) { return FieldType<ConvertType>::show(v.type); }
};

namespace {

struct Conversion {
  std::string field;
  ConvertTarget target;
  TimeFormat format;
  std::optional<std::size_t> from;  // column of the input; none = missing in every record
  std::size_t to = 0;               // column of the output
};

constexpr auto usual_int = [](std::string_view text, Value& to) {
  std::int64_t value = 0;
  if (!short_int(text, value)) return false;
  to = Value::int64(value);
  return true;
};
constexpr auto usual_double = [](std::string_view text, Value& to) {
  double value = 0;
  if (!short_double(text, value)) return false;
  to = Value::float64(value);
  return true;
};

// What is const and shared between workers.
struct ConvertShape {
  std::vector<Conversion> conversions;
  OnError on_error = OnError::dead_letter;
  std::size_t columns = 0;
  OuterObjects outer;
};

class Convert final : public Operator {
 public:
  explicit Convert(const ConvertShape& shape) : shape_(shape) {}

  Status on_batch(const Batch& in, Emitter& out) override {
    if (in.empty()) return {};
    std::vector<ColumnPtr> columns = in.columns();
    columns.resize(shape_.columns);
    auto arena = std::make_shared<Arena>();
    failed_.clear();
    for (const Conversion& c : shape_.conversions) {
      auto column = std::make_shared<Column>(in.physical_rows());
      if (c.from) convert(in, c, *in.column(*c.from), *arena, *column);
      columns[c.to] = std::move(column);
    }
    Batch made = shape_.outer.update(in.with_columns(std::move(columns)), *arena);
    made.keep(std::move(arena));
    if (failed_.empty()) {
      out.emit(made);
      return {};
    }
    reject_failed(in, out);
    made = made.select(good_);
    out.emit(made);
    return {};
  }

 private:
  struct Failure {
    std::size_t i;  // selected row
    const Conversion* conversion;
  };

  // usual: reads the text that most records have into the cell, or says no; then `any` decides.
  template <class Usual, class Any>
  void each(const Batch& in, const Conversion& c, const Column& from, Column& to, Usual usual,
            Any any) {
    const std::size_t rows = in.size();
    const Value* const values = from.data();
    Value* const made = to.data();
    for (std::size_t i = 0; i < rows; ++i) {
      const std::uint32_t row = in.physical(i);
      const Value& value = values[row];
      if (value.is(Kind::string) && usual(value.text(), made[row])) continue;
      if (value.absent())
        made[row] = value;
      else if (const std::optional<Value> converted = any(value))
        made[row] = *converted;
      else
        fail(i, row, c, from, to);
    }
  }

  void fail(std::size_t i, std::uint32_t row, const Conversion& c, const Column& from, Column& to) {
    switch (shape_.on_error) {
      case OnError::dead_letter: failed_.push_back({i, &c}); break;
      case OnError::null: to[row] = Value::null(); break;
      case OnError::keep: to[row] = from[row]; break;
    }
  }

  void convert(const Batch& in, const Conversion& c, const Column& from, Arena& arena, Column& to) {
    const auto unusual = [](std::string_view, Value&) { return false; };
    switch (c.target.type) {
      case ConvertType::int64: each(in, c, from, to, usual_int, to_int); break;
      case ConvertType::float64: each(in, c, from, to, usual_double, to_double); break;
      case ConvertType::boolean: each(in, c, from, to, unusual, to_bool); break;
      case ConvertType::string:
        each(in, c, from, to, unusual, [&](const Value& v) { return to_text(v, arena); });
        break;
      case ConvertType::timestamp:
        each(in, c, from, to, unusual, [&](const Value& v) { return to_timestamp(v, c.format); });
        break;
      case ConvertType::ip:
        each(in, c, from, to, unusual, [&](const Value& v) { return to_ip(v, arena); });
        break;
    }
  }

  // One dead letter per record, for the first of its fields that failed; the rest is in good_.
  void reject_failed(const Batch& in, Emitter& out) {
    std::stable_sort(failed_.begin(), failed_.end(),
                     [](const Failure& a, const Failure& b) { return a.i < b.i; });
    good_.clear();
    auto failure = failed_.begin();
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (failure == failed_.end() || failure->i != i) {
        good_.push_back(in.physical(i));
        continue;
      }
      const Conversion& c = *failure->conversion;
      out.reject(in, i, {"convert", reason(c, in.at(*c.from, i))});
      while (failure != failed_.end() && failure->i == i) ++failure;
    }
  }

  static std::string reason(const Conversion& c, const Value& value) {
    std::string text =
        "field \"" + c.field + "\" is no " + FieldType<ConvertType>::show(c.target.type);
    if (value.is(Kind::string))
      return text + ": \"" + std::string(value.text().substr(0, 80)) + "\"";
    return text + " but " + std::string(kind_name(value.kind()));
  }

  const ConvertShape& shape_;
  std::vector<Failure> failed_;
  std::vector<std::uint32_t> good_;
};

class ConvertPlan final : public OperatorPlan {
 public:
  explicit ConvertPlan(ConvertShape shape) : shape_(std::move(shape)) {}

  Needs needs(const Needs& wanted) const override {
    Needs needs = wanted;
    for (const Conversion& c : shape_.conversions) needs.fields.insert(c.field);
    return needs;
  }
  Ports bind(const Schema& in, Diagnostics& problems) override {
    Ports ports{in, false};
    std::vector<std::string> changed;
    for (Conversion& c : shape_.conversions) {
      c.from = in.find(c.field);
      if (!c.from && !in.open) report_unknown(in, c, problems);
      auto to = ports.out.find(c.field);
      if (!to) {
        to = ports.out.fields.size();
        ports.out.fields.push_back({c.field, Type::any, true});
      }
      c.to = *to;
      if (c.from) changed.push_back(c.field);
      Field& field = ports.out.fields[c.to];
      field.derived = true;
      field.type = shape_.on_error == OnError::dead_letter ? type_of(c.target.type) : Type::any;
    }
    shape_.columns = ports.out.fields.size();
    shape_.outer.bind(ports.out, changed);
    return ports;
  }
  std::unique_ptr<Operator> make(const OperatorContext&) const override {
    return std::make_unique<Convert>(shape_);
  }

 private:
  static void report_unknown(const Schema& in, const Conversion& c, Diagnostics& problems) {
    std::vector<std::string> known;
    for (const Field& f : in.fields) known.push_back(f.name);
    const std::string near = closest(c.field, known);
    problems.error("unknown-field", c.target.place, "the input has no field \"" + c.field + "\"",
                   near.empty() ? "" : "Did you mean \"" + near + "\"?");
  }

  ConvertShape shape_;
};

std::unique_ptr<OperatorPlan> make_convert(ConvertConfig config, const ConfigNode& node,
                                           Diagnostics& problems) {
  ConvertShape shape;
  shape.on_error = config.on_error;
  for (auto& [name, target] : config.fields) {
    auto format = TimeFormat::parse(target.format);
    if (!format) {
      problems.error("bad-time-format", target.place, format.error().message, format.error().hint);
      format = TimeFormat::parse(ConvertTarget{}.format);
    }
    shape.conversions.push_back({name, target, std::move(*format), {}, 0});
  }
  if (config.fields.empty()) report_rule(node, "fields names at least one field", problems);
  return std::make_unique<ConvertPlan>(std::move(shape));
}

}  // namespace

void add_convert_operator(Registry& registry) {
  using C = ConvertConfig;
  registry.add_operator(
      Spec<C>("convert")
          .summary("Gives fields a type: text from logs becomes numbers, times and addresses.")
          .details("Strict: no blanks, no plus sign. int: `-12`, or a double without "
                   "fraction. double: `0.28`, `1e3`, never nan or inf, the nearest one to an "
                   "int of more than 53 bits. bool: true, false, 1, 0. ip: an "
                   "IPv4 or IPv6 address. timestamp: RFC 3339, or by `format`, in microseconds. A "
                   "missing field stays "
                   "missing, null stays null.")
          .field(&C::fields, {.name = "fields",
                              .help = "Type per field: int, double, bool, string, timestamp, ip, "
                                      "or {type: timestamp, format: …}.",
                              .required = true,
                              .examples = {"{status: int, request_time: double}"}})
          .field(&C::on_error,
                 {.name = "on_error",
                  .help = "A value that cannot be converted: the record becomes a dead letter, the "
                          "field becomes null, or it stays as it is."})
          .example("Numbers", "fields: {status: int, request_time: double}")
          .example("A time",
                   "fields: {seen: {type: timestamp, format: unix_ms}}\non_error: 'null'"),
      [](C config, const ConfigNode& node, Diagnostics& problems) {
        return make_convert(std::move(config), node, problems);
      });
}

}  // namespace streamd
