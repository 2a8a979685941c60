// SPDX-License-Identifier: Apache-2.0
#include "operators/window/having.h"

#include "engine/core/arena.h"
#include "engine/expr/reject.h"
#include "operators/window/results.h"

#include <utility>
#include <vector>

namespace streamd::window {
namespace {

class Having final : public Operator {
 public:
  Having(std::optional<expr::Program> having, const std::string& node)
      : having_(std::move(having)), origin_(std::make_shared<const Origin>(Origin{node, ""})) {}

  Status on_batch(const Batch& in, Emitter& out) override {
    if (!having_) {
      out.emit(in.with_origin(origin_));
      return {};
    }
    arena_.clear();
    having_->select(in, arena_, kept_, failed_);
    // A result of nothing is no.
    std::erase_if(failed_, [&](const auto& failure) { return has_null(in, failure.row); });
    expr::reject_failed(in, failed_, out);
    const std::size_t dropped = in.size() - kept_.size() - failed_.size();
    if (dropped > 0) out.drop(DropReason::filtered, dropped);
    if (!kept_.empty()) out.emit(in.select(kept_).with_origin(origin_));
    return {};
  }

 private:
  std::optional<expr::Program> having_;
  std::shared_ptr<const Origin> origin_;
  Arena arena_;
  std::vector<std::uint32_t> kept_;
  std::vector<expr::Program::Failure> failed_;
};

class HavingPlan final : public OperatorPlan {
 public:
  explicit HavingPlan(std::optional<expr::Expression> having) : having_(std::move(having)) {}

  Needs needs(const Needs& wanted) const override {
    Needs needs = wanted;
    if (having_) having_->fields(needs.fields);
    return needs;
  }
  // The window that this was bound to the same names before.
  Ports bind(const Schema& in, Diagnostics& problems) override {
    if (having_) program_ = having_->bind(in, problems);
    return {in, false};
  }
  std::unique_ptr<Operator> make(const OperatorContext& context) const override {
    return std::make_unique<Having>(program_, context.node);
  }

 private:
  std::optional<expr::Expression> having_;
  std::optional<expr::Program> program_;
};

}  // namespace

std::unique_ptr<OperatorPlan> having_plan(std::optional<expr::Expression> having) {
  return std::make_unique<HavingPlan>(std::move(having));
}

}  // namespace streamd::window
