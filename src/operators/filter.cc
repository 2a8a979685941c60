// SPDX-License-Identifier: Apache-2.0
#include "engine/core/arena.h"
#include "engine/expr/limits.h"
#include "engine/expr/reject.h"
#include "operators/builtin_operators.h"

#include <optional>
#include <utility>

namespace streamd {
namespace {

struct FilterConfig {
  ExprText where;
};

class Filter final : public Operator {
 public:
  explicit Filter(expr::Program program) : program_(std::move(program)) {}

  Status on_batch(const Batch& in, Emitter& out) override {
    arena_.clear();
    program_.select(in, arena_, kept_, failed_);
    expr::reject_failed(in, failed_, out);
    const std::size_t dropped = in.size() - kept_.size() - failed_.size();
    if (dropped > 0) out.drop(DropReason::filtered, dropped);
    if (kept_.size() == in.size())
      out.emit(in);
    else if (!kept_.empty())
      out.emit(in.select(kept_));
    return {};
  }

 private:
  expr::Program program_;
  Arena arena_;
  std::vector<std::uint32_t> kept_;
  std::vector<expr::Program::Failure> failed_;
};

class FilterPlan final : public OperatorPlan {
 public:
  FilterPlan(std::optional<expr::Expression> where, ExprText text)
      : where_(std::move(where)), text_(std::move(text)), place_(text_.where.place) {}

  Needs needs(const Needs& wanted) const override {
    Needs needs = wanted;
    if (where_) where_->fields(needs.fields);
    return needs;
  }
  Ports bind(const Schema& in, Diagnostics& problems) override {
    auto program = where_ ? where_->bind(in, problems) : std::nullopt;
    if (program) {
      const Type type = program->type();
      if (type != Type::any && type != Type::boolean)
        problems.error("type-mismatch", place_,
                       "where must be true or false, but it is " + std::string(type_name(type)),
                       "Compare it with something.");
      program_ = std::move(*program);
      expr::warn_never_true(text_, {}, "where", "no record passes: change it", problems);
    }
    return {in, false};
  }
  std::unique_ptr<Operator> make(const OperatorContext&) const override {
    return std::make_unique<Filter>(program_);
  }

 private:
  std::optional<expr::Expression> where_;
  ExprText text_;
  Place place_;
  expr::Program program_;
};

}  // namespace

void add_filter_operator(Registry& registry) {
  using C = FilterConfig;
  registry.add_operator(
      Spec<C>("filter")
          .summary("Passes the records for which an expression is true.")
          .details(
              "Other records are counted as `filtered`. A record for which the expression fails "
              "(a missing field, a value of the wrong type) becomes a dead letter with code "
              "`expression`, never a silent no.")
          .field(&C::where, {.name = "where",
                             .help = "CEL expression that is true or false.",
                             .required = true,
                             .examples = {"status >= 400"}})
          .example("Errors only", "where: status >= 400")
          .example("Only where the field exists", "where: has(user) && user != ''"),
      [](C config, const ConfigNode&, Diagnostics& problems) -> std::unique_ptr<OperatorPlan> {
        auto where = expr::Expression::parse(config.where, problems);
        return std::make_unique<FilterPlan>(std::move(where), std::move(config.where));
      });
}

}  // namespace streamd
