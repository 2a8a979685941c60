// SPDX-License-Identifier: Apache-2.0
#include "engine/api/field_paths.h"
#include "engine/api/list_names.h"
#include "engine/match/indicator_list.h"
#include "operators/builtin_operators.h"
#include "operators/match_config.h"
#include "operators/match_lookup.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace streamd {
namespace {

using match::Config;
using match::Found;
using match::Keep;
using match::Lookup;

// Columns that match adds, in this order; behind them those of kIndicatorFieldNames that a list
// has.
constexpr std::array<std::string_view, 4> kOwn = {"list", "field", "value", "indicator"};

Type type_of_field(IndicatorField field) {
  switch (field) {
    case IndicatorField::score: return Type::float64;
    case IndicatorField::first_seen:
    case IndicatorField::last_seen:
    case IndicatorField::expires: return Type::timestamp;
    default: return Type::string;
  }
}

Value text_or_missing(std::string_view text) {
  return text.empty() ? Value::missing() : Value::string(text);
}

Value time_or_missing(EventTime time, EventTime unknown) {
  return time == unknown ? Value::missing() : Value::timestamp(time);
}

Value known(const Indicator& indicator, IndicatorField field) {
  const IndicatorInfo& info = *indicator.info;
  switch (field) {
    case IndicatorField::comment: return text_or_missing(indicator.comment);
    case IndicatorField::type: return text_or_missing(info.type);
    case IndicatorField::scenario: return text_or_missing(info.scenario);
    case IndicatorField::origin: return text_or_missing(info.origin);
    case IndicatorField::scope: return text_or_missing(info.scope);
    case IndicatorField::source: return text_or_missing(info.source);
    case IndicatorField::tags: return text_or_missing(info.tags);
    case IndicatorField::score: return info.has_score ? Value::float64(info.score) : Value();
    case IndicatorField::first_seen: return time_or_missing(info.first_seen, EventTime::min());
    case IndicatorField::last_seen: return time_or_missing(info.last_seen, EventTime::min());
    case IndicatorField::expires: return time_or_missing(indicator.expires, EventTime::max());
  }
  return Value::missing();
}

// Const, shared between workers.
struct Shape {
  Keep keep = Keep::matched;
  std::vector<std::string> field_names;
  std::vector<int> fields;  // columns of the input; -1: no record has it
  std::vector<std::shared_ptr<const ListSlot>> lists, allow;
  std::vector<IndicatorField> payload;
  std::vector<std::size_t> targets;  // columns of the output: kOwn, then payload
  // Of the columns that a match before has made, those among `targets`, and what no list here has:
  // a record that is found again has nothing of what was found before, one that is not keeps it.
  std::vector<bool> found_before;  // by target
  std::vector<std::size_t> stale;
  std::size_t columns = 0;  // of the output
};

class Match final : public Operator {
 public:
  explicit Match(const Shape& shape) : shape_(shape) {}

  Status on_batch(const Batch& in, Emitter& out) override {
    if (in.empty()) return {};
    take_views(shape_.lists, lists_);
    take_views(shape_.allow, allow_);
    auto arena = std::make_shared<Arena>(std::size_t{1024});
    Lookup lookup(lists_, allow_, scratch_, *arena);
    find_all(in, lookup);
    const bool wants_matched = shape_.keep != Keep::unmatched;
    const std::size_t matched = hits_.size();
    const std::size_t dropped = shape_.keep == Keep::all ? 0
                                : wants_matched          ? in.size() - matched
                                                         : matched;
    if (dropped > 0) out.drop(DropReason::filtered, dropped);
    if (dropped == in.size()) return {};
    Batch result = dropped == 0 ? in : in.select(wants_matched ? matched_rows() : other_rows(in));
    if (wants_matched) result = with_found(std::move(result), in, std::move(arena));
    out.emit(result);
    return {};
  }

 private:
  struct Row {
    std::uint32_t row;
    Found found;
  };

  static void take_views(const std::vector<std::shared_ptr<const ListSlot>>& slots,
                         std::vector<ListView>& into) {
    into.clear();
    for (const auto& slot : slots) into.push_back(slot->take());
  }

  void find_all(const Batch& in, Lookup& lookup) {
    hits_.clear();
    for (std::size_t first = 0; first < in.size(); first += kLookupBlock)
      find_block(in, first, std::min(kLookupBlock, in.size() - first), lookup);
  }

  // The fields in their order, each for the records that no field before it has found.
  void find_block(const Batch& in, std::size_t first, std::size_t count, Lookup& lookup) {
    std::array<Found, kLookupBlock> found{};
    for (std::size_t f = 0; f < shape_.fields.size(); ++f) {
      if (shape_.fields[f] < 0) continue;
      const Column& column = *in.column(static_cast<std::size_t>(shape_.fields[f]));
      std::array<const Value*, kLookupBlock> values;
      std::array<std::uint8_t, kLookupBlock> rows;
      std::array<Found, kLookupBlock> of_field{};
      std::size_t open = 0;
      for (std::size_t i = 0; i < count; ++i) {
        if (found[i].hit != 0) continue;
        rows[open] = static_cast<std::uint8_t>(i);
        values[open++] = &column[in.physical(first + i)];
      }
      lookup.find(values.data(), open, of_field.data());
      for (std::size_t k = 0; k < open; ++k) {
        found[rows[k]] = of_field[k];
        found[rows[k]].field = f;
      }
    }
    for (std::size_t i = 0; i < count; ++i)
      if (found[i].hit != 0) hits_.push_back({in.physical(first + i), found[i]});
  }

  std::vector<std::uint32_t> matched_rows() const {
    std::vector<std::uint32_t> rows;
    rows.reserve(hits_.size());
    for (const Row& hit : hits_) rows.push_back(hit.row);
    return rows;
  }
  std::vector<std::uint32_t> other_rows(const Batch& in) const {
    std::vector<std::uint32_t> rows;
    rows.reserve(in.size() - hits_.size());
    auto hit = hits_.begin();
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (hit != hits_.end() && hit->row == in.physical(i))
        ++hit;
      else
        rows.push_back(in.physical(i));
    }
    return rows;
  }

  Batch with_found(Batch result, const Batch& in, std::shared_ptr<Arena> arena) const {
    std::vector<std::shared_ptr<Column>> made;
    for (std::size_t c = 0; c < shape_.targets.size(); ++c)
      made.push_back(shape_.found_before[c]
                         ? std::make_shared<Column>(*in.column(shape_.targets[c]))
                         : std::make_shared<Column>(in.physical_rows()));
    for (const auto& [row, found] : hits_) {
      const Indicator indicator = lists_[found.list].list->at(found.hit);
      (*made[0])[row] = Value::string(shape_.lists[found.list]->name());
      (*made[1])[row] = Value::string(shape_.field_names[found.field]);
      (*made[2])[row] = found.value;
      (*made[3])[row] = Value::string(indicator.value);
      for (std::size_t p = 0; p < shape_.payload.size(); ++p)
        (*made[kOwn.size() + p])[row] = known(indicator, shape_.payload[p]);
    }
    std::vector<ColumnPtr> columns = in.columns();
    columns.resize(shape_.columns);
    for (std::size_t c = 0; c < made.size(); ++c) columns[shape_.targets[c]] = std::move(made[c]);
    for (const std::size_t at : shape_.stale) {
      auto column = std::make_shared<Column>(*columns[at]);
      for (const auto& [row, found] : hits_) (*column)[row] = Value::missing();
      columns[at] = std::move(column);
    }
    Batch out = result.with_columns(std::move(columns));
    out.keep(std::move(arena));
    for (const ListView& view : lists_) out.keep(view.list);
    return out;
  }

  const Shape& shape_;
  std::vector<ListView> lists_, allow_;
  Lookup::Scratch scratch_;
  std::vector<Row> hits_;  // ascending
};

class MatchPlan final : public OperatorPlan {
 public:
  MatchPlan(Config config, ConfigNode node) : config_(std::move(config)), node_(std::move(node)) {}

  Needs needs(const Needs& wanted) const override {
    Needs needs = wanted;
    std::erase_if(needs.fields, [&](const std::string& field) {
      return config_.keep != Keep::unmatched && field.starts_with(config_.as + ".");
    });
    needs.fields.insert(config_.fields.begin(), config_.fields.end());
    return needs;
  }

  Ports bind(const Schema& in, Diagnostics& problems) override {
    shape_ = {};
    shape_.keep = config_.keep;
    shape_.field_names = config_.fields;
    for (const auto& field : config_.fields)
      shape_.fields.push_back(column_of(field, in, problems));
    shape_.lists = resolve(config_.lists, config_.lists_key, in, problems);
    shape_.allow = resolve(config_.allow, "allow", in, problems);
    Ports ports{in, false};
    if (config_.keep != Keep::unmatched) add_columns(ports.out);
    shape_.columns = ports.out.fields.size();
    return ports;
  }
  std::unique_ptr<Operator> make(const OperatorContext&) const override {
    return std::make_unique<Match>(shape_);
  }

 private:
  // Where entry i of a key's list, or its single value, stands.
  Place place_of(const std::string& key, std::size_t i) const {
    const ConfigNode* value = node_.find(key);
    if (value == nullptr) return node_.place;
    return value->shape == ConfigNode::Shape::list && i < value->items.size()
               ? value->items[i].place
               : value->place;
  }

  int column_of(const std::string& field, const Schema& in, Diagnostics& problems) const {
    if (const auto column = in.find(field)) return static_cast<int>(*column);
    const auto at = std::find(config_.fields.begin(), config_.fields.end(), field);
    const Place place =
        place_of(config_.fields_key, static_cast<std::size_t>(at - config_.fields.begin()));
    const bool inside = lies_in_column(in, field);
    if (inside) require_field(in, field, place, problems);
    if (inside || (in.open && !in.is_hidden(field))) return -1;
    std::vector<std::string> known;
    for (const Field& f : in.fields) known.push_back(f.name);
    const std::string near = closest(field, known);
    problems.error("unknown-field", place, fmt::format("unknown field \"{}\"", field),
                   near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
    return -1;
  }

  std::vector<std::shared_ptr<const ListSlot>> resolve(const std::vector<std::string>& names,
                                                       const std::string& key, const Schema& in,
                                                       Diagnostics& problems) const {
    std::vector<std::shared_ptr<const ListSlot>> slots;
    for (std::size_t i = 0; i < names.size(); ++i) {
      auto slot = in.lists ? in.lists->find(names[i]) : nullptr;
      if (slot) {
        slots.push_back(std::move(slot));
        continue;
      }
      problems.error("unknown-list", place_of(key, i), fmt::format("unknown list \"{}\"", names[i]),
                     unknown_list_hint(in.lists.get(), names[i]));
    }
    return slots;
  }

  void add_columns(Schema& out) {
    IndicatorFields any = 0;
    for (const auto& slot : shape_.lists) any |= slot->fields();
    const auto add = [&](std::string_view name, Type type) {
      Field field{fmt::format("{}.{}", config_.as, name), type, true};
      std::erase(out.hidden, field.name);
      const auto there = out.find(field.name);
      shape_.targets.push_back(there.value_or(out.fields.size()));
      shape_.found_before.push_back(there && out.fields[*there].derived);
      if (there)
        out.fields[*there] = std::move(field);
      else
        out.fields.push_back(std::move(field));
    };
    for (const auto name : kOwn) add(name, name == "value" ? Type::any : Type::string);
    for (std::size_t f = 0; f < kIndicatorFieldNames.size(); ++f) {
      const auto field = static_cast<IndicatorField>(f);
      if (!holds(any, field)) {
        const auto there = out.find(fmt::format("{}.{}", config_.as, kIndicatorFieldNames[f]));
        if (there && out.fields[*there].derived) shape_.stale.push_back(*there);
        continue;
      }
      shape_.payload.push_back(field);
      add(kIndicatorFieldNames[f], type_of_field(field));
    }
  }

  Config config_;
  ConfigNode node_;
  Shape shape_;
};

}  // namespace

void add_match_operator(Registry& registry) {
  registry.add_operator(match::spec(),
                        [](match::Written written, const ConfigNode& node,
                           Diagnostics& problems) -> std::unique_ptr<OperatorPlan> {
                          auto config = match::settled(std::move(written), node, problems);
                          if (!config) return nullptr;
                          return std::make_unique<MatchPlan>(std::move(*config), node);
                        });
}

}  // namespace streamd
