// SPDX-License-Identifier: Apache-2.0
#include "engine/api/field_paths.h"
#include "engine/core/arena.h"
#include "engine/core/hash.h"
#include "engine/expr/json_reader.h"
#include "operators/builtin_operators.h"
#include "operators/outer_objects.h"

#include <memory>
#include <string>
#include <utility>

namespace streamd {
namespace {

constexpr std::size_t kRowsPerBatch = 4096;

struct ExplodeConfig {
  std::string field;
  std::string as;
  bool keep_empty = false;
  std::uint64_t max_parts = 10'000;
};

struct ExplodeShape {
  std::optional<std::size_t> from;                  // column of the field
  std::vector<std::optional<std::size_t>> columns;  // per column of the output; none: the part
  bool keep_empty = false;
  std::uint64_t max_parts = 0;
  OuterObjects outer;
};

// A number of its own for each part, the same at every run. Exact for positions below 2^43; those
// of results are hashes already.
std::uint64_t part_position(std::uint64_t position, std::uint64_t part) {
  constexpr unsigned kPartBits = 20;
  constexpr std::uint64_t kHashed = std::uint64_t{1} << 63;
  if (position < (std::uint64_t{1} << 43) && part < (std::uint64_t{1} << kPartBits))
    return (position << kPartBits) | part;
  return mix64(position ^ 0x9E3779B97F4A7C15ull, part + 0xD6E8FEB86659FD93ull) | kHashed;
}

class Explode final : public Operator {
 public:
  Explode(const ExplodeShape& shape, std::string node) : shape_(shape), node_(std::move(node)) {}

  Status on_batch(const Batch& in, Emitter& out) override {
    begin(in);
    std::size_t empty = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const std::uint32_t row = in.physical(i);
      Value value = shape_.from ? (*in.column(*shape_.from))[row] : Value::missing();
      if (value.is(Kind::json)) value = expr::read_json(value.text(), *arena_);
      if (value.is(Kind::error)) {
        out.reject(in, i, {"bad-json", value.text()});
        continue;
      }
      const bool many = value.is(Kind::list) || value.is(Kind::map);
      const std::uint64_t parts = value.absent() ? 0 : many ? value.size() : 1;
      if (parts > shape_.max_parts) {
        out.reject(in, i,
                   {"too-long",
                    "the field has " + std::to_string(parts) +
                        " elements, more than max_parts: " + std::to_string(shape_.max_parts)});
        continue;
      }
      if (parts == 0) {
        if (shape_.keep_empty)
          add(in, row, 0, Value::missing());
        else
          ++empty;
      }
      for (std::uint64_t p = 0; p < parts; ++p) {
        if (rows_->time.size() >= kRowsPerBatch) flush(in, out);
        add(in, row, p, part_of(value, p));
      }
    }
    if (empty > 0) out.drop(DropReason::filtered, empty);
    flush(in, out);
    return {};
  }

 private:
  void begin(const Batch& in) {
    arena_ = std::make_shared<Arena>();
    rows_ = std::make_shared<Rows>();
    from_.clear();
    parts_ = std::make_shared<Column>();
    const Origin& origin = in.origin();
    if (!origin_ || last_origin_ != in.origin_ptr()) {
      last_origin_ = in.origin_ptr();
      origin_ = std::make_shared<const Origin>(Origin{origin.node + "/" + node_, origin.partition});
    }
  }

  Value part_of(const Value& value, std::uint64_t p) {
    if (value.is(Kind::list)) return value.items()[p];
    if (!value.is(Kind::map)) return value;
    Value* const pairs = arena_->values(4);
    pairs[0] = Value::string("key");
    pairs[1] = value.items()[2 * p];
    pairs[2] = Value::string("value");
    pairs[3] = value.items()[2 * p + 1];
    return Value::map(pairs, 2);
  }

  void add(const Batch& in, std::uint32_t row, std::uint64_t part, const Value& value) {
    const Rows& rows = in.rows();
    rows_->time.push_back(rows.time[row]);
    rows_->floor.push_back(rows.floor[row]);
    if (!rows.raw.empty()) rows_->raw.push_back(rows.raw[row]);
    rows_->position.push_back(part_position(rows.position[row], part));
    from_.push_back(row);
    parts_->push_back(value);
  }

  void flush(const Batch& in, Emitter& out) {
    if (!from_.empty()) {
      std::vector<ColumnPtr> columns;
      columns.reserve(shape_.columns.size());
      for (const auto& from : shape_.columns) {
        if (!from) {
          columns.push_back(parts_);
          continue;
        }
        const Column& source = *in.column(*from);
        auto column = std::make_shared<Column>();
        column->reserve(from_.size());
        for (const std::uint32_t row : from_) column->push_back(source[row]);
        columns.push_back(std::move(column));
      }
      Batch made = shape_.outer.update(Batch(rows_, std::move(columns), origin_), *arena_);
      made.keep(arena_);
      made.keep(std::make_shared<const Batch>(in));
      out.emit(made);
    }
    rows_ = std::make_shared<Rows>();
    parts_ = std::make_shared<Column>();
    from_.clear();
  }

  const ExplodeShape& shape_;
  const std::string node_;
  std::shared_ptr<const Origin> last_origin_, origin_;
  // Of the batch that is being made.
  std::shared_ptr<Arena> arena_;
  std::shared_ptr<Rows> rows_;
  std::shared_ptr<Column> parts_;
  std::vector<std::uint32_t> from_;  // physical row of the record that each part is of
};

class ExplodePlan final : public OperatorPlan {
 public:
  ExplodePlan(ExplodeConfig config, Place place) : config_(std::move(config)), place_(place) {}

  Needs needs(const Needs& wanted) const override {
    Needs needs;
    needs.whole = wanted.whole;
    for (const std::string& field : wanted.fields)
      if (!covers(config_.as, field) && !covers(config_.field, field)) needs.fields.insert(field);
    needs.fields.insert(config_.field);
    return needs;
  }
  Ports bind(const Schema& in, Diagnostics& problems) override {
    shape_ = {};
    shape_.keep_empty = config_.keep_empty;
    shape_.max_parts = config_.max_parts;
    shape_.from = in.find(config_.field);
    require_field(in, config_.field, place_, problems);
    Ports ports;
    ports.out.open = in.open;
    ports.out.hidden = in.hidden;
    for (std::size_t c = 0; c < in.fields.size(); ++c) {
      const std::string& name = in.fields[c].name;
      if (covers(config_.field, name) || covers(config_.as, name)) continue;
      ports.out.fields.push_back(in.fields[c]);
      shape_.columns.push_back(c);
    }
    ports.out.fields.push_back({config_.as, Type::any, true});
    shape_.columns.push_back(std::nullopt);
    if (in.open && config_.as != config_.field && !in.is_hidden(config_.field))
      ports.out.hidden.push_back(config_.field);
    std::erase(ports.out.hidden, config_.as);
    shape_.outer.bind(ports.out, {config_.field, config_.as});
    return ports;
  }
  bool passes_records() const override { return false; }
  std::unique_ptr<Operator> make(const OperatorContext& context) const override {
    return std::make_unique<Explode>(shape_, context.node);
  }

 private:
  ExplodeConfig config_;
  Place place_;
  ExplodeShape shape_;
};

}  // namespace

void add_explode_operator(Registry& registry) {
  using C = ExplodeConfig;
  registry.add_operator(
      Spec<C>("explode")
          .summary("Makes one record of each element of an array, or of each entry of an object.")
          .details(
              "Each part has the other fields of the record, its time, and the element under `as`; "
              "the array itself is left out. An entry of an object is `{key, value}`: "
              "`vuln.key` and `vuln.value` in expressions. A single value counts as an array of "
              "one. A record whose field is missing, null or empty is counted as `filtered`, or "
              "goes on without the element (`keep_empty`).\n\n"
              "In the books, `in` counts records and `out` their parts. A record with more than "
              "`max_parts` elements becomes a dead letter with code `too-long`; none of its parts "
              "go on.\n\n"
              "Parts have ids of their own, the same at every run: the origin is the record's "
              "with this node's name, the position is made of the record's and the element's "
              "number. So a sink with deterministic ids keeps all of them, beside the record "
              "itself. To replay a dead letter of a part is to read the whole record again.")
          .field(&C::field, {.name = "field",
                             .help = "The array or object.",
                             .required = true,
                             .examples = {"hostnames", "vulns"}})
          .field(&C::as, {.name = "as",
                          .help = "Name of the element. Default: the name of the field.",
                          .examples = {"vuln"}})
          .field(&C::keep_empty, {.name = "keep_empty",
                                  .help = "Whether records without elements go on, as one record "
                                          "without the field."})
          .field(
              &C::max_parts,
              {.name = "max_parts", .help = "Elements that a record may have.", .advanced = true})
          .rule("field must name a field", [](const C& c) { return !c.field.empty(); })
          .rule("max_parts must be at least 1", [](const C& c) { return c.max_parts > 0; })
          .example("One record per vulnerability", "field: vulns\nas: vuln\n")
          .example("One record per host name",
                   "field: hostnames\nas: hostname\nkeep_empty: true\n"),
      [](C config, const ConfigNode& node, Diagnostics&) -> std::unique_ptr<OperatorPlan> {
        const ConfigNode* field = node.find("field");
        if (config.as.empty()) config.as = config.field;
        return std::make_unique<ExplodePlan>(std::move(config),
                                             field == nullptr ? node.place : field->place);
      });
}

}  // namespace streamd
