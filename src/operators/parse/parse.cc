// SPDX-License-Identifier: Apache-2.0
#include "engine/api/field_paths.h"
#include "operators/builtin_operators.h"
#include "operators/outer_objects.h"
#include "operators/parse/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>

namespace streamd {
namespace parse {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

// Where a column of the output comes from.
struct OutColumn {
  std::size_t input = kNone;  // column of the input
  std::size_t made = kNone;   // field of the format; with an input too: that is what it replaces
  bool misfits = false;       // the text itself, only of the records that it stays in
};

// What is const and shared between workers.
struct Shape {
  std::shared_ptr<const Format> format;
  std::string field;
  bool takes_json = false;
  OnError on_error = OnError::dead_letter;
  std::optional<std::size_t> from;
  std::vector<OutColumn> columns;
  OuterObjects outer;
};

class Parse final : public Operator {
 public:
  explicit Parse(const Shape& shape) : shape_(shape), reader_(shape.format->reader()) {}

  Status on_batch(const Batch& in, Emitter& out) override {
    if (in.empty()) return {};
    begin(in);
    if (shape_.from) collect(in);
    reader_->read(texts_, cells_, failures_);
    for (const Failure& failure : failures_) fail(in, of_text_[failure.text], failure.why);
    give(in, out);
    return {};
  }

 private:
  struct Bad {
    std::size_t i;  // selected row
    std::string why;
  };

  void begin(const Batch& in) {
    texts_.clear();
    of_text_.clear();
    failures_.clear();
    bad_.clear();
    made_.clear();
    cells_.columns.clear();
    cells_.owners.clear();
    cells_.arena = std::make_shared<Arena>();
    for (std::size_t f = 0; f < shape_.format->fields().size(); ++f) {
      made_.push_back(std::make_shared<Column>(in.physical_rows()));
      cells_.columns.push_back(made_.back()->data());
    }
  }

  void collect(const Batch& in) {
    const Column& from = *in.column(*shape_.from);
    for (std::size_t i = 0; i < in.size(); ++i) {
      const std::uint32_t row = in.physical(i);
      const Value& value = from[row];
      if (value.is(Kind::string) || (shape_.takes_json && value.is(Kind::json))) {
        texts_.push_back({value.text(), row, in.time(i)});
        of_text_.push_back(i);
      } else if (value.absent()) {
        leave(in, row);
      } else {
        fail(in, i, "it is no text");
      }
    }
  }

  // The row keeps what it had.
  void leave(const Batch& in, std::uint32_t row) {
    for (const OutColumn& column : shape_.columns)
      if (column.made != kNone && column.input != kNone)
        (*made_[column.made])[row] = (*in.column(column.input))[row];
  }

  void fail(const Batch& in, std::size_t i, std::string why) {
    const std::uint32_t row = in.physical(i);
    switch (shape_.on_error) {
      case OnError::dead_letter: bad_.push_back({i, std::move(why)}); break;
      case OnError::null:
        for (auto& column : made_) (*column)[row] = Value::null();
        break;
      case OnError::keep: leave(in, row); break;
    }
  }

  void give(const Batch& in, Emitter& out) {
    std::vector<ColumnPtr> columns;
    columns.reserve(shape_.columns.size());
    for (const OutColumn& column : shape_.columns) {
      if (column.made != kNone)
        columns.push_back(std::move(made_[column.made]));
      else if (column.misfits)
        columns.push_back(misfits(*in.column(column.input)));
      else
        columns.push_back(in.column(column.input));
    }
    Batch result = shape_.outer.update(in.with_columns(std::move(columns)), *cells_.arena);
    result.keep(std::move(cells_.arena));
    for (auto& owner : cells_.owners) result.keep(std::move(owner));
    out.emit(bad_.empty() ? result : result.select(reject_bad(in, out)));
  }

  // What could not be read.
  ColumnPtr misfits(const Column& texts) const {
    auto column = std::make_shared<Column>(texts);
    auto failure = failures_.begin();
    for (std::size_t t = 0; t < texts_.size(); ++t) {
      if (failure != failures_.end() && failure->text == t)
        ++failure;
      else
        (*column)[texts_[t].row] = Value::missing();
    }
    return column;
  }

  // The rows that are left.
  std::vector<std::uint32_t> reject_bad(const Batch& in, Emitter& out) {
    std::sort(bad_.begin(), bad_.end(), [](const Bad& a, const Bad& b) { return a.i < b.i; });
    std::vector<std::uint32_t> rows;
    auto bad = bad_.begin();
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (bad == bad_.end() || bad->i != i) {
        rows.push_back(in.physical(i));
        continue;
      }
      out.reject(in, i, {"parse", fmt::format("field \"{}\": {}", shape_.field, bad->why)});
      ++bad;
    }
    return rows;
  }

  const Shape& shape_;
  const std::unique_ptr<Reader> reader_;
  // Of the batch that is being worked on.
  std::vector<TextRow> texts_;
  std::vector<std::size_t> of_text_;  // selected row
  std::vector<Failure> failures_;
  std::vector<Bad> bad_;
  std::vector<std::shared_ptr<Column>> made_;
  Cells cells_;
};

class ParsePlan final : public OperatorPlan {
 public:
  ParsePlan(const Config& config, std::shared_ptr<const Format> format, Place place)
      : into_(config.into), keep_field_(config.keep_field), place_(place) {
    shape_.format = std::move(format);
    shape_.field = config.field;
    shape_.takes_json = config.format == FormatKind::json;
    shape_.on_error = config.on_error;
    for (const ParsedField& field : shape_.format->fields())
      fields_.push_back({full_name(field.name), field.type, true});
  }

  Needs needs(const Needs& wanted) const override {
    Needs needs;
    needs.whole = wanted.whole;
    for (const std::string& name : wanted.fields) {
      const bool made = std::any_of(fields_.begin(), fields_.end(),
                                    [&](const Field& f) { return covers(f.name, name); });
      if (!made || (shape_.on_error == OnError::keep && replaces_.contains(name)))
        needs.fields.insert(name);
    }
    // A record that goes on as it came keeps them: who writes it out looks for them here, and who
    // reads the object around one.
    for (const std::string& name : replaces_)
      if ((wanted.whole && shape_.on_error == OnError::keep) || lies_inside(wanted.fields, name))
        needs.fields.insert(name);
    needs.fields.insert(shape_.field);
    return needs;
  }

  Ports bind(const Schema& in, Diagnostics& problems) override {
    require_field(in, shape_.field, place_, problems);
    shape_.from = in.find(shape_.field);
    shape_.columns.clear();
    Ports ports{in, false};
    ports.out.fields.clear();
    for (std::size_t c = 0; c < in.fields.size(); ++c) {
      const Field& field = in.fields[c];
      const std::size_t made = made_as(field.name);
      const bool misfits = made == kNone && keeps_misfits() && field.name == shape_.field;
      const bool goes =
          made == kNone && !misfits &&
          ((!keep_field_ && covers(shape_.field, field.name)) || lies_inside_made(field.name));
      if (goes) continue;
      ports.out.fields.push_back(made == kNone ? field : replaced(made));
      if (misfits) ports.out.fields.back().derived = true;
      shape_.columns.push_back({c, made, misfits});
    }
    for (std::size_t f = 0; f < fields_.size(); ++f) {
      if (!in.find(fields_[f].name)) {
        ports.out.fields.push_back(fields_[f]);
        shape_.columns.push_back({kNone, f, false});
      }
      if (in.find(fields_[f].name) || (in.open && !in.is_hidden(fields_[f].name)))
        replaces_.insert(fields_[f].name);
      std::erase(ports.out.hidden, fields_[f].name);
    }
    const bool hides =
        !keep_field_ && in.open && made_as(shape_.field) == kNone && !keeps_misfits();
    if (hides && !in.is_hidden(shape_.field)) ports.out.hidden.push_back(shape_.field);
    std::vector<std::string> changed;
    if (!keep_field_ || made_as(shape_.field) != kNone) changed.push_back(shape_.field);
    for (const Field& field : fields_)
      if (field.name != shape_.field) changed.push_back(field.name);
    shape_.outer.bind(ports.out, changed);
    return ports;
  }

  std::unique_ptr<Operator> make(const OperatorContext&) const override {
    return std::make_unique<Parse>(shape_);
  }

 private:
  std::string full_name(const std::string& name) const {
    if (name.empty()) return into_;
    return into_.empty() ? name : into_ + "." + name;
  }
  std::size_t made_as(const std::string& name) const {
    for (std::size_t f = 0; f < fields_.size(); ++f)
      if (fields_[f].name == name) return f;
    return kNone;
  }
  // A record that goes on as it came has its text, too.
  bool keeps_misfits() const {
    return !keep_field_ && shape_.on_error == OnError::keep && !lies_inside_made(shape_.field);
  }
  static bool lies_inside(const std::set<std::string>& objects, const std::string& name) {
    return std::any_of(objects.begin(), objects.end(), [&](const std::string& object) {
      return !path_inside(object, name).empty();
    });
  }
  bool lies_inside_made(const std::string& name) const {
    return std::any_of(fields_.begin(), fields_.end(),
                       [&](const Field& f) { return covers(f.name, name); });
  }
  // What was there before may have another type.
  Field replaced(std::size_t made) const {
    Field field = fields_[made];
    field.type = Type::any;
    return field;
  }

  const std::string into_;
  const bool keep_field_;
  const Place place_;
  std::vector<Field> fields_;
  std::set<std::string> replaces_;  // fields that a record may have had before
  Shape shape_;
};

std::unique_ptr<OperatorPlan> make_plan(const Config& config, const ConfigNode& node,
                                        Diagnostics& problems) {
  if (!settled(config, node, problems)) return nullptr;
  std::shared_ptr<const Format> format = make_format(config, node, problems);
  if (!format) return nullptr;
  const ConfigNode* field = node.find("field");
  return std::make_unique<ParsePlan>(config, std::move(format),
                                     field == nullptr ? node.place : field->place);
}

}  // namespace
}  // namespace parse

void add_parse_operator(Registry& registry) {
  registry.add_operator(parse::spec(), parse::make_plan);
}

}  // namespace streamd
