// SPDX-License-Identifier: Apache-2.0
#include "engine/core/arena.h"
#include "engine/expr/expression.h"
#include "operators/builtin_operators.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace streamd {
namespace {

enum class RouteMode { first, all };

struct RouteConfig {
  std::vector<std::pair<std::string, ExprText>> routes;
  std::string otherwise;
  RouteMode mode = RouteMode::first;
};

struct RouteShape {
  std::vector<expr::Program> wheres;
  RouteMode mode = RouteMode::first;
  bool otherwise = false;  // the port behind those of `wheres`
};

class Route final : public Operator {
 public:
  explicit Route(const RouteShape& shape) : shape_(shape), ports_(shape.wheres.size() + 1) {}

  Status on_batch(const Batch& in, Emitter& out) override {
    if (in.empty()) return {};
    arena_.clear();
    left_.assign(in.physical_rows(), false);
    bad_.assign(in.physical_rows(), false);
    std::size_t rejected = 0;
    Batch open = in;
    for (std::size_t p = 0; p < shape_.wheres.size(); ++p) {
      ports_[p].clear();
      if (open.empty()) continue;
      shape_.wheres[p].select(open, arena_, ports_[p], failed_);
      rejected += reject_failed(in, out);
      for (const std::uint32_t row : ports_[p]) left_[row] = true;
      if (shape_.mode == RouteMode::first || !failed_.empty()) open = rest(in);
    }
    send(in, out);
    return finish(in, rejected, out);
  }

 private:
  // A record for which one expression fails goes nowhere, whatever the others say.
  std::size_t reject_failed(const Batch& in, Emitter& out) {
    std::size_t i = 0;
    for (const auto& failure : failed_) {
      while (in.physical(i) != failure.row) ++i;
      out.reject(in, i, {"expression", failure.reason});
      bad_[failure.row] = true;
    }
    return failed_.size();
  }
  Batch rest(const Batch& in) const {
    std::vector<std::uint32_t> rows;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const std::uint32_t row = in.physical(i);
      if (!bad_[row] && (shape_.mode == RouteMode::all || !left_[row])) rows.push_back(row);
    }
    return in.select(std::move(rows));
  }
  void send(const Batch& in, Emitter& out) {
    for (std::size_t p = 0; p < shape_.wheres.size(); ++p) {
      auto& rows = ports_[p];
      std::erase_if(rows, [this](std::uint32_t row) { return bad_[row]; });
      if (!rows.empty()) out.emit(in.select(rows), route_port(p));
    }
  }
  Status finish(const Batch& in, std::size_t rejected, Emitter& out) {
    auto& others = ports_.back();
    others.clear();
    for (std::size_t i = 0; i < in.size(); ++i)
      if (const std::uint32_t row = in.physical(i); !left_[row] && !bad_[row])
        others.push_back(row);
    if (others.empty()) return {};
    if (shape_.otherwise)
      out.emit(others.size() == in.size() && rejected == 0 ? in : in.select(others),
               route_port(shape_.wheres.size()));
    else
      out.drop(DropReason::filtered, others.size());
    return {};
  }

  const RouteShape& shape_;
  Arena arena_;
  std::vector<std::vector<std::uint32_t>> ports_;  // physical rows; the last: otherwise
  std::vector<bool> left_;                         // by physical row: some port takes it
  std::vector<bool> bad_;                          // by physical row: rejected
  std::vector<expr::Program::Failure> failed_;
};

class RoutePlan final : public OperatorPlan {
 public:
  RoutePlan(RouteConfig config, std::vector<std::optional<expr::Expression>> wheres)
      : config_(std::move(config)), wheres_(std::move(wheres)) {}

  std::vector<std::string> routes() const override {
    std::vector<std::string> names;
    for (const auto& [name, where] : config_.routes) names.push_back(name);
    if (!config_.otherwise.empty()) names.push_back(config_.otherwise);
    return names;
  }
  // With mode: all, a record may leave several times.
  bool passes_records() const override { return config_.mode == RouteMode::first; }
  Needs needs(const Needs& wanted) const override {
    Needs needs = wanted;
    for (const auto& where : wheres_)
      if (where) where->fields(needs.fields);
    return needs;
  }
  Ports bind(const Schema& in, Diagnostics& problems) override {
    shape_ = {};
    shape_.mode = config_.mode;
    shape_.otherwise = !config_.otherwise.empty();
    for (std::size_t r = 0; r < wheres_.size(); ++r) {
      auto program = wheres_[r] ? wheres_[r]->bind(in, problems) : std::nullopt;
      if (!program) continue;
      const Type type = program->type();
      if (type != Type::any && type != Type::boolean)
        problems.error("type-mismatch", config_.routes[r].second.where.place,
                       "the condition of a route must be true or false, but it is " +
                           std::string(type_name(type)),
                       "Compare it with something.");
      shape_.wheres.push_back(std::move(*program));
    }
    return {in, false};
  }
  std::unique_ptr<Operator> make(const OperatorContext&) const override {
    return std::make_unique<Route>(shape_);
  }

 private:
  RouteConfig config_;
  std::vector<std::optional<expr::Expression>> wheres_;
  RouteShape shape_;
};

bool is_name(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

Place key_place(const ConfigNode& node, const std::string& name) {
  if (const ConfigNode* routes = node.find("routes"))
    for (const auto& [key, value] : routes->entries)
      if (key.text == name) return key.place;
  return node.place;
}

std::unique_ptr<OperatorPlan> make_route(RouteConfig config, const ConfigNode& node,
                                         Diagnostics& problems) {
  std::vector<std::string> names;
  const auto check_name = [&](const std::string& name, Place place) {
    if (!is_name(name) || name == "late" || name == "errors" || name == "out")
      problems.error("bad-name", place, "\"" + name + "\" cannot name a route",
                     "Use letters, digits, _ and -; not out, late or errors.");
    else if (std::find(names.begin(), names.end(), name) != names.end())
      problems.error("duplicate-name", place, "route \"" + name + "\" is there twice",
                     "Choose another name.");
    names.push_back(name);
  };
  std::vector<std::optional<expr::Expression>> wheres;
  for (const auto& [name, where] : config.routes) {
    check_name(name, key_place(node, name));
    wheres.push_back(expr::Expression::parse(where, problems));
  }
  if (const ConfigNode* other = node.find("otherwise"); other != nullptr)
    check_name(config.otherwise, other->place);
  return std::make_unique<RoutePlan>(std::move(config), std::move(wheres));
}

}  // namespace

template <>
struct EnumNames<RouteMode> {
  static constexpr std::array<std::pair<RouteMode, std::string_view>, 2> values = {
      {{RouteMode::first, "first"}, {RouteMode::all, "all"}}};
};

void add_route_operator(Registry& registry) {
  using C = RouteConfig;
  registry.add_operator(
      Spec<C>("route")
          .summary("Sends records to named outputs by conditions.")
          .details(
              "What comes behind reads one of them: `input: NODE.NAME`. Each must be read by some "
              "node. With `mode: first` a record goes to the first route whose condition is true, "
              "with `all` to every one of them (then `out` may count it several times). A record "
              "that no route takes goes to `otherwise`, or is counted as `filtered`. A record for "
              "which a condition fails becomes a dead letter with code `expression` and goes "
              "nowhere else; conditions after the first that is true are not asked with `mode: "
              "first`.")
          .field(&C::routes,
                 {.name = "routes",
                  .help = "CEL condition per name, in order.",
                  .required = true,
                  .examples = {"{errors_5xx: status >= 500, slow: request_time > 1.0}"}})
          .field(&C::otherwise, {.name = "otherwise",
                                 .help = "Name of the output for all other records.",
                                 .examples = {"rest"}})
          .field(&C::mode, {.name = "mode", .help = "The first route that takes it, or all."})
          .rule("routes must name at least one route", [](const C& c) { return !c.routes.empty(); })
          .example("Errors apart",
                   "routes: {broken: status >= 500, refused: status >= 400}\notherwise: fine\n"),
      [](C config, const ConfigNode& node, Diagnostics& problems) {
        return make_route(std::move(config), node, problems);
      });
}

}  // namespace streamd
