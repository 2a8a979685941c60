// SPDX-License-Identifier: Apache-2.0
#include "engine/api/field_paths.h"
#include "engine/api/registry.h"
#include "engine/expr/expression.h"
#include "engine/expr/limits.h"
#include "operators/window/having.h"
#include "operators/window/window.h"
#include "operators/window/window_config.h"
#include "operators/window/window_operator.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <set>
#include <utility>

namespace streamd {
namespace window {
namespace {

struct Call {
  ComputeCall call;
  std::optional<expr::Expression> input;
  Place place;
};

// The field, when the expression is nothing but the name of one.
std::optional<std::string> plain_field(const expr::Expression& expression, std::string_view text) {
  std::set<std::string> fields;
  expression.fields(fields);
  if (fields.size() != 1) return std::nullopt;
  const std::string& field = *fields.begin();
  if (text == field || text == "`" + field + "`") return field;
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

// "requests > 10" of a count() or distinct().
std::optional<Rules::Floor> floor_of(std::string_view term, const std::vector<Call>& calls) {
  term = trimmed(term);
  const std::size_t sign = term.find('>');
  if (sign == std::string_view::npos) return std::nullopt;
  const std::string_view name = trimmed(term.substr(0, sign));
  const auto call = std::find_if(calls.begin(), calls.end(),
                                 [&](const Call& known) { return known.call.name == name; });
  if (call == calls.end() ||
      (call->call.function != Function::count && call->call.function != Function::distinct))
    return std::nullopt;
  term.remove_prefix(sign + 1);
  const bool strict = !term.starts_with('=');
  term = trimmed(term.substr(strict ? 0 : 1));
  std::int64_t bound = 0;
  const char* const end = term.data() + term.size();
  const auto [at, error] = std::from_chars(term.data(), end, bound);
  if (error != std::errc{} || at != end || bound < 0 || bound == INT64_MAX) return std::nullopt;
  return Rules::Floor{static_cast<std::size_t>(call - calls.begin()),
                      static_cast<std::uint64_t>(bound) + (strict ? 1 : 0)};
}

// "requests > 10" of a count() of records is true from 11 of them on and needs no evaluation.
std::optional<std::uint64_t> least_count(std::string_view having, const std::vector<Call>& calls) {
  const auto floor = floor_of(having, calls);
  if (!floor) return std::nullopt;
  const Call& call = calls[floor->compute];
  if (call.call.function != Function::count || call.input) return std::nullopt;
  return floor->least;
}

// The conditions that must all hold; none: it is of another form. Texts and comments could hide
// anything.
std::vector<std::string_view> terms_of(std::string_view having) {
  if (having.find_first_of("\"'`\\?") != std::string_view::npos ||
      having.find("//") != std::string_view::npos)
    return {};
  std::vector<std::string_view> terms;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t at = 0; at <= having.size(); ++at) {
    const std::string_view rest = having.substr(at);
    if (rest.starts_with('(') || rest.starts_with('[') || rest.starts_with('{')) ++depth;
    if (rest.starts_with(')') || rest.starts_with(']') || rest.starts_with('}')) --depth;
    if (depth != 0) continue;
    if (rest.starts_with("||")) return {};
    if (!rest.empty() && !rest.starts_with("&&")) continue;
    terms.push_back(having.substr(begin, at - begin));
    begin = at + 2;
  }
  return terms;
}

// Of all conditions, what they ask for; empty when one is of another form.
std::vector<Rules::Floor> floors_of(std::string_view having, const std::vector<Call>& calls) {
  std::vector<Rules::Floor> floors;
  for (const std::string_view term : terms_of(having)) {
    const auto floor = floor_of(term, calls);
    if (!floor) return {};
    floors.push_back(*floor);
  }
  return floors;
}

// The most records that one of the conditions asks for: with fewer the whole is false, even if
// another one fails. Of so many different values there are no more than records.
std::uint64_t needed_count(std::string_view having, const std::vector<Call>& calls) {
  std::uint64_t most = 0;
  for (const std::string_view term : terms_of(having))
    if (const auto floor = floor_of(term, calls)) most = std::max(most, floor->least);
  return most;
}

bool may_be(Function function, Type type) {
  const auto number = type == Type::int64 || type == Type::uint64 || type == Type::float64;
  if (type == Type::any || type == Type::null) return true;
  switch (function) {
    case Function::count:
    case Function::share: return type == Type::boolean;
    case Function::sum:
    case Function::avg:
    case Function::quantile: return number;
    case Function::min:
    case Function::max: return type != Type::list && type != Type::map && type != Type::json;
    default: return type != Type::list && type != Type::map;
  }
}

Type result_type(Function function, Type input) {
  switch (function) {
    case Function::count:
    case Function::distinct: return Type::int64;
    case Function::avg:
    case Function::entropy:
    case Function::quantile:
    case Function::share:
    case Function::rate: return Type::float64;
    case Function::sum: return input == Type::int64 || input == Type::float64 ? input : Type::any;
    case Function::top: return Type::json;
    default: return input;
  }
}

class WindowPlan final : public OperatorPlan {
 public:
  WindowPlan(Config config, Place place) : config_(std::move(config)), place_(place) {}

  // What does not parse is left out of bind(), where its name still stands for a value.
  void parse(Diagnostics& problems) {
    for (const auto& [name, text] : config_.compute) {
      auto call = parse_compute(name, text, problems);
      if (!call) {
        unclear_.push_back(name);
        continue;
      }
      std::optional<expr::Expression> input;
      if (call->input) input = expr::Expression::parse(*call->input, problems);
      calls_.push_back({std::move(*call), std::move(input), text.where.place});
    }
    if (config_.where) where_ = expr::Expression::parse(*config_.where, problems);
    if (config_.having) having_ = expr::Expression::parse(*config_.having, problems);
    std::set<std::string> names = {"window_start", "window_end"};
    for (const auto& name : config_.by)
      if (!names.insert(name).second)
        problems.error("duplicate-name", place_, "field \"" + name + "\" is there twice in by");
    for (const auto& [name, text] : config_.compute)
      if (!names.insert(name).second)
        problems.error("duplicate-name", text.where.place,
                       "\"" + name + "\" already names a field of the result",
                       "Choose another name.");
  }

  Needs needs(const Needs&) const override {
    Needs needs;
    needs.fields.insert(config_.by.begin(), config_.by.end());
    if (where_) where_->fields(needs.fields);
    for (const auto& call : calls_)
      if (call.input) call.input->fields(needs.fields);
    return needs;
  }

  Ports bind(const Schema& in, Diagnostics& problems) override {
    auto shared = std::make_shared<WindowOperator::Shared>();
    shared->intake.lateness = in.find("lateness");
    bind_keys(in, *shared, problems);
    bind_condition(where_, config_.where, in, shared->intake.where, problems);
    bind_computes(in, *shared, problems);
    Rules& rules = shared->rules;
    rules.out.lists = in.lists;
    rules.out.functions = in.functions;
    rules.out.fields.push_back({"window_start", Type::timestamp, true});
    rules.out.fields.push_back({"window_end", Type::timestamp, true});
    rules.assigner = config_.window.assigner;
    rules.emit = config_.emit;
    rules.max_keys = config_.max_keys;
    rules.on_full = config_.on_full;
    for (const auto& name : unclear_) rules.out.fields.push_back({name, Type::any, true});
    bind_condition(having_, config_.having, rules.out, rules.having, problems);
    if (unclear_.empty()) warn_unreachable(problems);
    if (having_) {
      std::set<std::string> fields;
      having_->fields(fields);
      rules.having_reads_window = fields.contains("window_start") || fields.contains("window_end");
      rules.least_count = least_count(config_.having->text, calls_);
      rules.needed_count = needed_count(config_.having->text, calls_);
      rules.floors = floors_of(config_.having->text, calls_);
    }
    Ports ports{rules.out, true};
    shared_ = std::move(shared);
    return ports;
  }

  std::vector<std::string> key_fields() const override { return config_.by; }
  bool stateful() const override { return true; }

  std::string state_signature() const override {
    const Assigner& a = config_.window.assigner;
    std::string text = a.is_session()
                           ? "session " + std::to_string(a.gap) + " " + std::to_string(a.max)
                           : "window " + std::to_string(a.size) + " " + std::to_string(a.every);
    text += "; by";
    for (const auto& name : config_.by) text += " " + json_quote(name);
    text += "; compute";
    for (const auto& call : calls_) text += " " + json_quote(call.call.text);
    return text;
  }

  // All but `having`. Alerts of emit: threshold are state of their own, changes depend on it.
  std::string shared_work() const override {
    if (config_.emit != Emit::close) return {};
    std::string text = state_signature();
    text += "; where " + json_quote(config_.where ? config_.where->text : "");
    for (const auto& call : calls_) text += " " + json_quote(call.call.name);
    return text + "; max_keys " + std::to_string(config_.max_keys) +
           (config_.on_full == OnFull::evict ? " evict" : "");
  }

  // Its `having` is true where that of any of them is.
  std::unique_ptr<OperatorPlan> common_step(
      const std::vector<const OperatorPlan*>& all) const override {
    Config config = config_;
    config.having = any_having(all);
    auto plan = std::make_unique<WindowPlan>(std::move(config), place_);
    Diagnostics said_before;
    plan->parse(said_before);
    plan->of_several_ = true;
    return plan;
  }

  std::unique_ptr<OperatorPlan> last_step() const override { return having_plan(having_); }

  std::unique_ptr<Operator> make(const OperatorContext& context) const override {
    return std::make_unique<WindowOperator>(shared_, context);
  }

 private:
  std::optional<ExprText> any_having(const std::vector<const OperatorPlan*>& all) const {
    std::optional<ExprText> any, weakest;
    std::optional<std::uint64_t> least;
    bool all_count = true;
    std::set<std::string> seen;
    for (const OperatorPlan* other : all) {
      const auto& having = static_cast<const WindowPlan*>(other)->config_.having;
      if (!having) return std::nullopt;
      const auto count = least_count(having->text, calls_);
      all_count = all_count && count;
      if (count && (!least || *count < *least)) {
        least = count;
        weakest = having;
      }
      if (!seen.insert(having->text).second) continue;
      if (!any)
        any = ExprText{"(" + having->text + ")", having->where};
      else
        any->text += " || (" + having->text + ")";
    }
    return all_count ? weakest : any;
  }

  // What is certain of the values that `having` sees.
  expr::Limits limits() const {
    expr::Limits limits;
    std::vector<std::string> records, parts;  // count(), and what is never above it
    for (const auto& [call, input, place] : calls_) {
      const bool all = call.function == Function::count && !call.input;
      switch (call.function) {
        case Function::share: limits.ranges[call.name] = {0, 1}; break;
        // A window without a record gives no row; only of a change is one told that has none left.
        case Function::count:
          limits.ranges[call.name] = {all && config_.emit != Emit::changed ? 1.0 : 0.0};
          break;
        case Function::distinct:
        case Function::entropy:
        case Function::rate: limits.ranges[call.name] = {0}; break;
        default: break;
      }
      if (all)
        records.push_back(call.name);
      else if (call.function == Function::count || call.function == Function::distinct)
        parts.push_back(call.name);
    }
    for (const auto& part : parts)
      for (const auto& whole : records) limits.order.emplace_back(part, whole);
    return limits;
  }

  void warn_unreachable(Diagnostics& problems) const {
    if (of_several_) return;
    const auto never = config_.having ? expr::never_true(*config_.having, limits()) : std::nullopt;
    const bool silence = never && never->reason.ends_with(" is at least 1");
    expr::warn_never_true(config_.where, {}, "where", "no record enters the window: change it",
                          problems);
    expr::warn_never_true(config_.having, limits(), "having",
                          silence ? "no result leaves: change it; a window without records gives "
                                    "none either, an absent operator tells of silence"
                                  : "no result leaves: change it",
                          problems);
  }

  void bind_keys(const Schema& in, WindowOperator::Shared& shared, Diagnostics& problems) const {
    for (const auto& name : config_.by) {
      const auto column = in.find(name);
      if (!column && (!in.open || in.is_hidden(name))) {
        std::vector<std::string> known;
        for (const auto& field : in.fields) known.push_back(field.name);
        const std::string near = closest(name, known);
        problems.error("unknown-field", place_, "by: unknown field \"" + name + "\"",
                       near.empty() ? "" : "did you mean \"" + near + "\"?");
      }
      // A name may have such signs, but one that no record has yet is more likely an expression.
      if (!column && name.find_first_of(" (") != std::string::npos)
        problems.warning("unknown-field", place_,
                         "by: \"" + name + "\" is looked for as a field of that name",
                         "An expression needs a map before: set: {key: " + name + "}, by: [key].");
      shared.intake.by.push_back(column);
      shared.intake.by_names.push_back(name);
      shared.rules.out.fields.push_back({name, column ? in.fields[*column].type : Type::any, true});
    }
    shared.rules.by = config_.by.size();
  }

  static void bind_condition(const std::optional<expr::Expression>& expression,
                             const std::optional<ExprText>& text, const Schema& in,
                             std::optional<expr::Program>& into, Diagnostics& problems) {
    if (!expression) return;
    into = expression->bind(in, problems);
    if (into && into->type() != Type::any && into->type() != Type::boolean)
      problems.error("type-mismatch", text->where.place,
                     "a condition is a bool, not " + std::string(type_name(into->type())));
  }

  // The first compute that counts the values of the same input; -1: none.
  int same_values(const std::vector<Compute>& computes, const ComputeCall& call) const {
    for (std::size_t c = 0; c < computes.size(); ++c)
      if (is_counted(computes[c].function) && calls_[c].call.input->text == call.input->text)
        return static_cast<int>(c);
    return -1;
  }

  void bind_computes(const Schema& in, WindowOperator::Shared& shared,
                     Diagnostics& problems) const {
    std::vector<Compute> computes;
    for (const auto& [call, expression, place] : calls_) {
      Compute compute{call.name, call.function, -1, call.argument, false, -1};
      Type type = Type::any;
      if (expression) {
        compute.input = static_cast<int>(shared.intake.inputs.size());
        Intake::Input input{call.function, call.name, std::nullopt, std::nullopt};
        const auto field = plain_field(*expression, call.input->text);
        const auto column = field ? in.find(*field) : std::nullopt;
        if (column) {
          input.column = column;
          type = in.fields[*column].type;
        } else if (!field || !in.open || in.is_hidden(*field) || lies_in_column(in, *field)) {
          input.inside = field && lies_in_column(in, *field);
          input.program = expression->bind(in, problems);
          if (input.program) type = input.program->type();
        }
        compute.always_double = type == Type::float64;
        if (!may_be(call.function, type))
          problems.error("type-mismatch", place,
                         "\"" + call.name + "\" cannot be computed from values of type " +
                             std::string(type_name(type)),
                         "Use a convert operator before, or another function.");
        shared.intake.inputs.push_back(std::move(input));
        if (is_counted(call.function)) compute.counts_with = same_values(computes, call);
      }
      shared.rules.out.fields.push_back({call.name, result_type(call.function, type), true});
      computes.push_back(std::move(compute));
    }
    shared.rules.aggregates = Aggregates(std::move(computes));
  }

  Config config_;
  Place place_;
  bool of_several_ = false;  // has the `having` of other nodes, which warn of their own
  std::vector<Call> calls_;
  std::vector<std::string> unclear_;  // names of what does not parse
  std::optional<expr::Expression> where_;
  std::optional<expr::Expression> having_;
  std::shared_ptr<const WindowOperator::Shared> shared_;
};

}  // namespace
}  // namespace window

void add_window_operator(Registry& registry) {
  registry.add_operator(window::window_spec(),
                        [](window::Config config, const ConfigNode& node,
                           Diagnostics& problems) -> std::unique_ptr<OperatorPlan> {
                          auto plan =
                              std::make_unique<window::WindowPlan>(std::move(config), node.place);
                          plan->parse(problems);
                          return plan;
                        });
}

}  // namespace streamd
