// SPDX-License-Identifier: Apache-2.0
#include "engine/api/field_paths.h"
#include "engine/core/arena.h"
#include "engine/expr/expression.h"
#include "operators/builtin_operators.h"
#include "operators/outer_objects.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace streamd {
namespace {

struct MapConfig {
  std::vector<std::pair<std::string, ExprText>> set;
  std::vector<std::pair<std::string, std::string>> rename;
  std::vector<std::string> remove;
  std::vector<std::string> keep;
};

struct MapInner;

// Where a column of the output comes from.
struct MapColumn {
  enum class From { input, set, first_there, nothing } from = From::nothing;
  std::size_t index = 0;           // input column, or program
  std::vector<MapInner> inner;     // what is set in its objects or taken out of them, no path twice
  std::vector<MapColumn> choices;  // first_there: of each record the first that it has
};

struct MapInner {
  std::string path;
  MapColumn column;  // nothing: taken out
};

// What is const and shared between workers.
struct MapShape {
  std::vector<expr::Program> programs;
  std::vector<MapColumn> columns;
};

class Map final : public Operator {
 public:
  explicit Map(const MapShape& shape) : shape_(shape) {}

  Status on_batch(const Batch& in, Emitter& out) override {
    if (in.empty()) return {};
    auto arena = std::make_shared<Arena>();
    made_.clear();
    failed_.assign(in.physical_rows(), nullptr);
    any_failed_ = false;
    for (const expr::Program& program : shape_.programs) {
      auto column = std::make_shared<Column>();
      program.evaluate(in, *arena, *column);
      collect_failures(in, *column);
      made_.push_back(std::move(column));
    }
    Batch result = in.with_columns(arrange(in, *arena));
    result.keep(std::move(arena));
    if (!any_failed_) {
      out.emit(result);
      return {};
    }
    out.emit(result.select(reject_failed(in, out)));
    return {};
  }

 private:
  void collect_failures(const Batch& in, const Column& column) {
    const std::size_t rows = in.size();
    for (std::size_t i = 0; i < rows; ++i) {
      const std::uint32_t row = in.physical(i);
      if (!column[row].is(Kind::error) || failed_[row] != nullptr) continue;
      failed_[row] = &column[row];
      any_failed_ = true;
    }
  }

  std::vector<ColumnPtr> arrange(const Batch& in, Arena& arena) const {
    std::vector<ColumnPtr> columns;
    columns.reserve(shape_.columns.size());
    for (const MapColumn& c : shape_.columns) {
      ColumnPtr column = column_of(in, c, arena);
      columns.push_back(column ? std::move(column)
                               : std::make_shared<const Column>(in.physical_rows()));
    }
    return columns;
  }

  // Null: nothing.
  ColumnPtr column_of(const Batch& in, const MapColumn& c, Arena& arena) const {
    if (c.from == MapColumn::From::nothing) return nullptr;
    const ColumnPtr column = c.from == MapColumn::From::set           ? made_[c.index]
                             : c.from == MapColumn::From::first_there ? first_there(in, c, arena)
                                                                      : in.column(c.index);
    if (column == nullptr || c.inner.empty()) return column;
    std::vector<InnerField> fields;
    for (const MapInner& inner : c.inner)
      fields.push_back({inner.path, column_of(in, inner.column, arena)});
    return with_inner(in, *column, fields, arena);
  }

  ColumnPtr first_there(const Batch& in, const MapColumn& c, Arena& arena) const {
    ColumnPtr found;
    for (const MapColumn& choice : c.choices) {
      const ColumnPtr next = column_of(in, choice, arena);
      found = found && next ? filled(in, found, *next) : found ? found : next;
    }
    return found;
  }

  static ColumnPtr filled(const Batch& in, const ColumnPtr& column, const Column& with) {
    std::shared_ptr<Column> out;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const std::uint32_t row = in.physical(i);
      if (!(*column)[row].is(Kind::missing)) continue;
      if (!out) out = std::make_shared<Column>(*column);
      (*out)[row] = with[row];
    }
    return out ? out : column;
  }

  std::vector<std::uint32_t> reject_failed(const Batch& in, Emitter& out) const {
    std::vector<std::uint32_t> good;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const std::uint32_t row = in.physical(i);
      if (failed_[row] == nullptr)
        good.push_back(row);
      else
        out.reject(in, i, {"expression", failed_[row]->text()});
    }
    return good;
  }

  const MapShape& shape_;
  std::vector<ColumnPtr> made_;
  std::vector<const Value*> failed_;  // by physical row: the first error
  bool any_failed_ = false;
};

struct Assignment {
  std::string name;
  std::optional<expr::Expression> expression;  // none: it does not parse, which was reported
  Place place;
};

class MapPlan final : public OperatorPlan {
 public:
  MapPlan(MapConfig config, std::vector<Assignment> set, Place place)
      : config_(std::move(config)), set_(std::move(set)), place_(place) {}

  Needs needs(const Needs& wanted) const override {
    Needs needs;
    needs.whole = wanted.whole && config_.keep.empty();
    if (config_.keep.empty())
      for (const std::string& field : wanted.fields) add_need(field, needs);
    for (const std::string& field : config_.keep) add_need(field, needs);
    for (const auto& renamed : config_.rename)
      for (const std::string& field : {renamed.first, renamed.second})
        if (!is_set(field)) needs.fields.insert(field);
    for (const Assignment& a : set_)
      if (a.expression) a.expression->fields(needs.fields);
    // Of closed records only what is needed stays, and what is not there cannot be removed.
    if (!in_open_)
      for (const std::string& field : config_.remove)
        if (!is_set(field) && !is_renamed(field)) needs.fields.insert(field);
    return needs;
  }

  Ports bind(const Schema& in, Diagnostics& problems) override {
    shape_ = {};
    in_open_ = in.open;
    out_ = in;
    for (std::size_t i = 0; i < in.fields.size(); ++i)
      shape_.columns.push_back({MapColumn::From::input, i, {}, {}});
    for (const Assignment& a : set_) assign(a, in, problems);
    rename(problems);
    for (const std::string& field : config_.remove) {
      if (!out_.open && !has(field)) report_unknown(field, problems);
      take_out(field);
      hide(field);
      change_objects(field, {});
    }
    if (!config_.keep.empty()) keep_only(problems);
    return {out_, false};
  }
  std::unique_ptr<Operator> make(const OperatorContext&) const override {
    return std::make_unique<Map>(shape_);
  }

 private:
  bool is_set(std::string_view field) const {
    return std::any_of(set_.begin(), set_.end(),
                       [&](const Assignment& a) { return covers(a.name, field); });
  }
  bool is_renamed(std::string_view field) const {
    return std::any_of(config_.rename.begin(), config_.rename.end(), [&](const auto& renamed) {
      return covers(renamed.first, field) || covers(renamed.second, field);
    });
  }
  // Backwards through remove, rename and set.
  void add_need(const std::string& field, Needs& needs) const {
    for (const std::string& removed : config_.remove)
      if (covers(removed, field)) return;
    for (const auto& [from, to] : config_.rename)
      if (covers(to, field)) return;
    for (const auto& [from, to] : config_.rename)
      if (covers(from, field)) return;
    if (!is_set(field)) needs.fields.insert(field);
  }

  bool has(std::string_view field) const {
    return std::any_of(out_.fields.begin(), out_.fields.end(),
                       [&](const Field& f) { return covers(field, f.name); });
  }
  enum class Taken { all, inside };
  // The column of the field and those of fields inside it, or only the latter.
  void take_out(std::string_view field, Taken taken = Taken::all) {
    for (std::size_t i = out_.fields.size(); i-- > 0;) {
      if (!covers(field, out_.fields[i].name)) continue;
      if (taken == Taken::inside && out_.fields[i].name == field) continue;
      out_.fields.erase(out_.fields.begin() + static_cast<std::ptrdiff_t>(i));
      shape_.columns.erase(shape_.columns.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  // In the columns that hold objects with this field.
  void change_objects(std::string_view field, const MapColumn& to) {
    for (std::size_t i = 0; i < out_.fields.size(); ++i) {
      const std::string_view path = path_inside(out_.fields[i].name, field);
      if (!path.empty()) change_inside(shape_.columns[i], path, to);
    }
  }
  static void change_inside(MapColumn& object, std::string_view path, const MapColumn& to) {
    std::erase_if(object.inner, [&](const MapInner& inner) { return covers(path, inner.path); });
    for (MapInner& inner : object.inner)
      if (const std::string_view rest = path_inside(inner.path, path); !rest.empty())
        return change_inside(inner.column, rest, to);
    object.inner.push_back({std::string(path), to});
  }
  void hide(const std::string& field) {
    if (out_.open && !out_.is_hidden(field)) out_.hidden.push_back(field);
  }
  void add(Field field, MapColumn column) {
    std::erase(out_.hidden, field.name);
    out_.fields.push_back(std::move(field));
    shape_.columns.push_back(column);
  }

  void assign(const Assignment& a, const Schema& in, Diagnostics& problems) {
    auto program = a.expression ? a.expression->bind(in, problems) : std::nullopt;
    if (!program) {
      take_out(a.name);
      add({a.name, Type::any, true}, {});
      return;
    }
    const MapColumn column{MapColumn::From::set, shape_.programs.size(), {}, {}};
    const Field field{a.name, program->type(), true};
    shape_.programs.push_back(std::move(*program));
    take_out(a.name, Taken::inside);
    change_objects(a.name, column);
    const auto there = out_.find(a.name);
    if (!there) {
      add(field, column);
      return;
    }
    out_.fields[*there] = field;
    shape_.columns[*there] = column;
  }

  // All at once, so that two fields can change places. A record without the old field keeps what it
  // has at the new one.
  void rename(Diagnostics& problems) {
    struct Moved {
      std::string from, to;
      Type type;
      MapColumn column;
    };
    std::vector<Moved> moved;
    for (const auto& [from, to] : config_.rename) {
      const auto at = out_.find(from);
      if (!at && !out_.open) report_unknown(from, problems);
      if (at)
        moved.push_back({from, to, out_.fields[*at].type, shape_.columns[*at]});
      else
        moved.push_back({from, to, Type::any, {}});
    }
    for (const Moved& m : moved) {
      take_out(m.from);
      hide(m.from);
      change_objects(m.from, {});
    }
    for (Moved& m : moved) {
      const auto there = out_.find(m.to);
      if (!there) continue;
      if (m.type != out_.fields[*there].type) m.type = Type::any;
      m.column = {MapColumn::From::first_there, 0, {}, {m.column, shape_.columns[*there]}};
    }
    for (const Moved& m : moved) {
      take_out(m.to);
      change_objects(m.to, m.column);
      add({m.to, m.type, true}, m.column);
    }
  }

  void keep_only(Diagnostics& problems) {
    std::vector<Field> fields;
    std::vector<MapColumn> columns;
    for (const std::string& name : config_.keep) {
      const auto at = out_.find(name);
      if (!at && !out_.open) report_unknown(name, problems);
      if (!at && out_.open && out_.is_hidden(name)) report_unknown(name, problems);
      fields.push_back({name, at ? out_.fields[*at].type : Type::any, true});
      columns.push_back(at ? shape_.columns[*at] : MapColumn{});
    }
    out_.fields = std::move(fields);
    out_.open = false;
    out_.hidden.clear();
    shape_.columns = std::move(columns);
  }

  void report_unknown(const std::string& field, Diagnostics& problems) const {
    std::vector<std::string> known;
    for (const Field& f : out_.fields) known.push_back(f.name);
    const std::string near = closest(field, known);
    problems.error("unknown-field", place_, "there is no field \"" + field + "\" here",
                   near.empty() ? "" : "Did you mean \"" + near + "\"?");
  }

  MapConfig config_;
  std::vector<Assignment> set_;
  Place place_;
  bool in_open_ = true;
  Schema out_;
  MapShape shape_;
};

std::unique_ptr<OperatorPlan> make_map(MapConfig config, const ConfigNode& node,
                                       Diagnostics& problems) {
  if (config.set.empty() && config.rename.empty() && config.remove.empty() && config.keep.empty())
    report_rule(node, "map needs set, rename, remove or keep", problems);
  std::vector<std::string> targets;
  for (const auto& [from, to] : config.rename) {
    if (to.empty() || std::find(targets.begin(), targets.end(), to) != targets.end())
      report_rule(node, "rename gives each field a name of its own", problems);
    targets.push_back(to);
  }
  std::vector<Assignment> set;
  for (const auto& [name, text] : config.set) {
    set.push_back({name, expr::Expression::parse(text, problems), text.where.place});
  }
  return std::make_unique<MapPlan>(std::move(config), std::move(set), node.place);
}

}  // namespace

void add_map_operator(Registry& registry) {
  using C = MapConfig;
  registry.add_operator(
      Spec<C>("map")
          .summary("Sets, renames and removes fields.")
          .details(
              "In this order, whatever the order in the file: every `set` is computed from the "
              "record as it came in, then `rename`, `remove` and `keep` apply to the result. A "
              "record for which an expression fails becomes a dead letter with code "
              "`expression`.\n\n"
              "`a.b` is field b of object a, where the record has such a field: it is set or taken "
              "out there, for those too that read `a` itself. Where the object has no b, what is "
              "set stands beside it as a field `a.b`.\n\n"
              "JSON has no infinity and no NaN: a double that is one (`1.0 / 0.0`, `1e400`) is "
              "written as null.")
          .field(&C::set, {.name = "set",
                           .help = "CEL expression per field.",
                           .examples = {"{ok: status < 400}"}})
          .field(&C::rename, {.name = "rename",
                              .help = "New name per old name. A record that lacks the old field "
                                      "keeps what it has at the new name.",
                              .examples = {"{client_ip: client}"}})
          .field(&C::remove,
                 {.name = "remove", .help = "Fields to leave out.", .examples = {"[server]"}})
          .field(&C::keep, {.name = "keep",
                            .help = "When given, only these fields remain, in this order.",
                            .examples = {"[client, host, status]"}})
          .example("A computed field", "set: {failed: status >= 500}\nremove: [server]")
          .example("Only what matters", "rename: {client_ip: client}\nkeep: [client, host]"),
      [](C config, const ConfigNode& node, Diagnostics& problems) {
        return make_map(std::move(config), node, problems);
      });
}

}  // namespace streamd
