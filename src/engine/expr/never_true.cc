// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/ast.h"
#include "engine/expr/field_paths.h"
#include "engine/expr/limits.h"
#include "engine/expr/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace streamd::expr {
namespace {

// Beyond, whole numbers and doubles are no longer the same.
constexpr double kExact = 9e15;

struct Impossible {
  const Ast* part;
  std::string reason;
};

std::string written(const Range& range) {
  const bool low = std::isfinite(range.low), high = std::isfinite(range.high);
  if (low && high && range.low == range.high) return fmt::format("{}", range.low);
  if (low && high) return fmt::format("between {} and {}", range.low, range.high);
  if (low) return fmt::format("{} {}", range.low_open ? "above" : "at least", range.low);
  return fmt::format("{} {}", range.high_open ? "below" : "at most", range.high);
}

Op mirrored(Op op) {
  switch (op) {
    case Op::lt: return Op::gt;
    case Op::le: return Op::ge;
    case Op::gt: return Op::lt;
    case Op::ge: return Op::le;
    default: return op;
  }
}

bool is_comparison(Op op) {
  return op == Op::eq || op == Op::lt || op == Op::le || op == Op::gt || op == Op::ge;
}

class Reasoner {
 public:
  explicit Reasoner(const Limits& limits) : order_(limits.order), ranges_(limits.ranges) {}

  std::optional<Impossible> never(const Ast& ast) {
    if (ast.op == Op::constant && ast.literal.is(Kind::boolean) && !ast.literal.as_bool())
      return Impossible{&ast, "it is false"};
    if (ast.op == Op::and_) return never_all(ast);
    if (ast.op == Op::or_) return never_any(ast);
    if (is_comparison(ast.op)) return never_compared(ast);
    return std::nullopt;
  }

 private:
  // What each part says limits what the next ones may say.
  std::optional<Impossible> never_all(const Ast& ast) {
    const auto ranges = ranges_;
    const auto texts = texts_;
    const auto narrowed = narrowed_;
    std::optional<Impossible> found;
    for (const auto& kid : ast.kids) {
      found = never(*kid);
      if (found) break;
      narrow(*kid);
    }
    ranges_ = ranges;
    texts_ = texts;
    narrowed_ = narrowed;
    return found;
  }

  std::optional<Impossible> never_any(const Ast& ast) {
    std::optional<Impossible> first;
    for (const auto& kid : ast.kids) {
      auto found = never(*kid);
      if (!found) return std::nullopt;
      if (!first) first = std::move(found);
    }
    return first;
  }

  static std::string name_of(const Ast& ast) {
    const auto path = path_of(ast, {});
    return path ? joined(*path, path->size()) : std::string();
  }

  // Everything where nothing is known.
  Range range_of(const Ast& ast) const {
    switch (ast.op) {
      case Op::constant: return constant_of(ast.literal);
      case Op::ident:
      case Op::select: {
        const auto known = ranges_.find(name_of(ast));
        return known == ranges_.end() ? Range{} : known->second;
      }
      case Op::negate: {
        const Range of = range_of(*ast.kids[0]);
        return {-of.high, -of.low, of.high_open, of.low_open};
      }
      case Op::call:
        if (!ast.receiver && ast.name == "double" && ast.kids.size() == 1)
          return range_of(*ast.kids[0]);
        return {};
      default: return {};
    }
  }

  static Range constant_of(const Value& value) {
    double number = 0;
    if (value.is(Kind::int64))
      number = static_cast<double>(value.as_int());
    else if (value.is(Kind::float64))
      number = value.as_double();
    else
      return {};
    if (!(std::abs(number) < kExact)) return {};
    return {number, number};
  }

  static bool apart(const Range& below, const Range& above, bool equal_is_apart) {
    if (below.high < above.low) return true;
    return below.high == above.low && (equal_is_apart || below.high_open || above.low_open);
  }

  static bool cannot(Op op, const Range& a, const Range& b) {
    switch (op) {
      case Op::gt: return apart(a, b, true);
      case Op::ge: return apart(a, b, false);
      case Op::lt: return apart(b, a, true);
      case Op::le: return apart(b, a, false);
      default: return apart(a, b, false) || apart(b, a, false);
    }
  }

  std::optional<Impossible> never_compared(const Ast& ast) const {
    const Ast& a = *ast.kids[0];
    const Ast& b = *ast.kids[1];
    const std::string left = name_of(a), right = name_of(b);
    if (!left.empty() && !right.empty()) {
      const bool above = ast.op == Op::gt, below = ast.op == Op::lt;
      const auto pair = above ? std::pair(left, right) : std::pair(right, left);
      if ((above || below) && std::find(order_.begin(), order_.end(), pair) != order_.end())
        return Impossible{&ast, fmt::format("{} is never above {}", pair.first, pair.second)};
    }
    if (const auto texts = other_text(ast, left.empty() ? right : left, left.empty() ? a : b))
      return texts;
    const Range x = range_of(a), y = range_of(b);
    if (!cannot(ast.op, x, y)) return std::nullopt;
    if (!left.empty()) return Impossible{&ast, told(left, x)};
    if (!right.empty()) return Impossible{&ast, told(right, y)};
    return Impossible{&ast, "both sides are fixed"};
  }

  std::string told(const std::string& name, const Range& range) const {
    return fmt::format("{} is {}{}", name, written(range),
                       narrowed_.contains(name) ? " by what stands before" : "");
  }

  std::optional<Impossible> other_text(const Ast& ast, const std::string& name,
                                       const Ast& constant) const {
    if (ast.op != Op::eq || constant.op != Op::constant || !constant.literal.is(Kind::string))
      return std::nullopt;
    const auto known = texts_.find(name);
    if (known == texts_.end() || known->second == constant.literal.text()) return std::nullopt;
    return Impossible{&ast, fmt::format("{} cannot be both '{}' and '{}'", name, known->second,
                                        constant.literal.text())};
  }

  // What is known once this part is true.
  void narrow(const Ast& ast) {
    if (ast.op == Op::and_)
      for (const auto& kid : ast.kids) narrow(*kid);
    if (!is_comparison(ast.op)) return;
    narrow_name(ast.op, *ast.kids[0], *ast.kids[1]);
    narrow_name(mirrored(ast.op), *ast.kids[1], *ast.kids[0]);
  }

  void narrow_name(Op op, const Ast& what, const Ast& bound) {
    const std::string name = name_of(what);
    if (name.empty() || bound.op != Op::constant) return;
    if (op == Op::eq && bound.literal.is(Kind::string))
      texts_.emplace(name, std::string(bound.literal.text()));
    const Range limit = constant_of(bound.literal);
    if (!std::isfinite(limit.low)) return;
    Range& range = ranges_[name];
    const Range known = range;
    const bool strict = op == Op::gt || op == Op::lt;
    if (op != Op::lt && op != Op::le &&
        (limit.low > range.low || (limit.low == range.low && strict))) {
      range.low = limit.low;
      range.low_open = strict;
    }
    if (op != Op::gt && op != Op::ge &&
        (limit.high < range.high || (limit.high == range.high && strict))) {
      range.high = limit.high;
      range.high_open = strict;
    }
    if (range.low != known.low || range.high != known.high || range.low_open != known.low_open ||
        range.high_open != known.high_open)
      narrowed_.insert(name);
  }

  const std::vector<std::pair<std::string, std::string>>& order_;
  std::map<std::string, Range> ranges_;
  std::set<std::string> narrowed_;            // by the condition itself
  std::map<std::string, std::string> texts_;  // fields that equal a text
};

}  // namespace

std::optional<NeverTrue> never_true(const ExprText& condition, const Limits& limits) {
  ParsedExpression parsed;
  parsed.text = condition.text;
  parsed.where = condition.where;
  SyntaxError error;
  if (!parse_text(parsed.text, parsed, error)) return std::nullopt;
  const auto found = Reasoner(limits).never(*parsed.root);
  if (!found) return std::nullopt;
  return NeverTrue{parsed.place(found->part->offset, found->part->length), found->reason};
}

void warn_never_true(const std::optional<ExprText>& condition, const Limits& limits,
                     const std::string& what, const std::string& hint, Diagnostics& problems) {
  if (!condition) return;
  if (const auto never = never_true(*condition, limits))
    problems.warning("never-true", never->place,
                     fmt::format("{} is never true: {}", what, never->reason), hint);
}

}  // namespace streamd::expr
