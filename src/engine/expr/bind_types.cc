// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/bind_types.h"

namespace streamd::expr {
namespace {

bool number(Type t) { return t == Type::int64 || t == Type::uint64 || t == Type::float64; }
bool time(Type t) { return t == Type::timestamp || t == Type::duration; }
// What may be looked up in an indicator list.
constexpr TypeSet kListed =
    set_of(Type::string, Type::ip, Type::cidr, Type::int64, Type::uint64, Type::null);
bool in_set(Type t, TypeSet set) { return t == Type::any || (set & set_of(t)) != 0; }

std::string pair_text(Op op, Type a, Type b) {
  return "no overload: " + std::string(type_name(a)) + " " + op_text(op) + " " +
         std::string(type_name(b));
}

std::string converted(const TypedText& operand, Type to) {
  return std::string(type_name(to)) + "(" + operand.text + ")";
}

// The number in a text in quotes: '500' -> 500.
std::string number_in(const TypedText& operand) {
  const std::string_view text = operand.text;
  if (text.size() < 3 || (text.front() != '\'' && text.front() != '"')) return {};
  const std::string_view inner = text.substr(1, text.size() - 2);
  const bool digits = inner.find_first_not_of("0123456789") == std::string_view::npos;
  return digits ? std::string(inner) : std::string();
}

bool is_quoted(const TypedText& operand) {
  return !operand.text.empty() && (operand.text.front() == '\'' || operand.text.front() == '"');
}

// A text beside a number. A literal is not converted but written in the other way.
std::string text_hint(const TypedText& text, const TypedText& number) {
  if (const std::string digits = number_in(text); !digits.empty())
    return "write the number without quotes: " + digits;
  if (is_quoted(text)) return number.text + " is a number; compare it with one";
  return "convert the field first: " + converted(text, number.type);
}

// Says how to bring both sides to one type, when there is a way.
std::string conversion_hint(const TypedText& a, const TypedText& b, bool arithmetic) {
  if (a.type == Type::string && number(b.type))
    return arithmetic ? "convert the field first: " + converted(a, b.type) : text_hint(a, b);
  if (b.type == Type::string && number(a.type))
    return arithmetic && is_quoted(b) && number_in(b).empty()
               ? "to make a text of it: " + converted(a, Type::string) + " + " + b.text
               : text_hint(b, a);
  if (!arithmetic || !number(a.type) || !number(b.type)) {
    if (a.type == Type::timestamp && b.type == Type::string)
      return "convert the text first: timestamp(" + b.text + ")";
    if (a.type == Type::duration && b.type == Type::string)
      return "convert the text first: duration(" + b.text + ")";
    return {};
  }
  const bool real = a.type == Type::float64 || b.type == Type::float64;
  const Type to = real ? Type::float64 : Type::int64;
  return "arithmetic has no mixed types: " + converted(a.type == to ? b : a, to);
}

std::optional<Type> time_result(Op op, Type a, Type b) {
  if (op == Op::add && a == Type::duration && b == Type::duration) return Type::duration;
  if (op == Op::add && time(a) && time(b) && a != b) return Type::timestamp;
  if (op == Op::sub && a == Type::timestamp)
    return b == Type::timestamp  ? std::optional(Type::duration)
           : b == Type::duration ? std::optional(Type::timestamp)
                                 : std::nullopt;
  if (op == Op::sub && a == Type::duration && b == Type::duration) return Type::duration;
  return std::nullopt;
}

std::optional<Type> arithmetic_result(Op op, Type a, Type b) {
  if (a == Type::any || b == Type::any) {
    const Type known = a == Type::any ? b : a;
    const bool possible = known == Type::any || number(known) || time(known) ||
                          (op == Op::add && (known == Type::string || known == Type::bytes ||
                                             known == Type::list || known == Type::json));
    return possible ? std::optional(Type::any) : std::nullopt;
  }
  if (time(a) || time(b)) return time_result(op, a, b);
  if (a == b && number(a))
    return op == Op::mod && a == Type::float64 ? std::nullopt : std::optional(a);
  if (op != Op::add) return std::nullopt;
  if (a == b && (a == Type::string || a == Type::bytes || a == Type::list)) return a;
  const bool lists = (a == Type::list || a == Type::json) && (b == Type::list || b == Type::json);
  return lists ? std::optional(Type::list) : std::nullopt;
}

bool comparable(Op op, Type a, Type b) {
  const bool equality = op == Op::eq || op == Op::ne;
  if (equality && (a == Type::null || b == Type::null)) return true;
  const bool ordered_a = number(a) || time(a) || a == Type::string || a == Type::bytes ||
                         a == Type::boolean || a == Type::any;
  const bool ordered_b = number(b) || time(b) || b == Type::string || b == Type::bytes ||
                         b == Type::boolean || b == Type::any;
  if (!equality && (!ordered_a || !ordered_b)) return false;
  if (a == Type::any || b == Type::any || a == b || (number(a) && number(b))) return true;
  const auto structured = [](Type t) {
    return t == Type::json || t == Type::list || t == Type::map;
  };
  return equality && structured(a) && structured(b) && (a == Type::json || b == Type::json);
}

std::optional<Type> refuse(TypeProblem& problem, std::string message, std::string hint = {}) {
  problem = {std::move(message), std::move(hint)};
  return std::nullopt;
}

std::optional<Type> check_bools(Op op, const std::vector<TypedText>& operands, std::size_t count,
                                TypeProblem& problem) {
  for (std::size_t i = 0; i < count; ++i)
    if (operands[i].type != Type::boolean && operands[i].type != Type::any)
      return refuse(
          problem,
          std::string(op_text(op)) + " needs bool, got " + std::string(type_name(operands[i].type)),
          "compare it: " + operands[i].text + " == …");
  return Type::boolean;
}

}  // namespace

std::optional<Type> check_operator(Op op, const std::vector<TypedText>& operands,
                                   TypeProblem& problem) {
  const Type a = operands[0].type;
  const Type b = operands.size() > 1 ? operands[1].type : Type::any;
  switch (op) {
    case Op::add:
    case Op::sub:
    case Op::mul:
    case Op::div:
    case Op::mod: {
      const auto result = arithmetic_result(op, a, b);
      if (result) return result;
      return refuse(problem, pair_text(op, a, b), conversion_hint(operands[0], operands[1], true));
    }
    case Op::eq:
    case Op::ne:
    case Op::lt:
    case Op::le:
    case Op::gt:
    case Op::ge:
      if (comparable(op, a, b)) return Type::boolean;
      return refuse(problem, pair_text(op, a, b), conversion_hint(operands[0], operands[1], false));
    case Op::negate:
      if (a == Type::any || a == Type::int64 || a == Type::float64) return a;
      return refuse(problem, "no overload: -" + std::string(type_name(a)));
    case Op::in:
      if (in_set(b, set_of(Type::list, Type::map, Type::json))) return Type::boolean;
      return refuse(problem, pair_text(op, a, b),
                    b == Type::string ? "to look for a text in a text: " + operands[1].text +
                                            ".contains(" + operands[0].text + ")"
                                      : "");
    case Op::in_list:
      if (in_set(a, kListed)) return Type::boolean;
      return refuse(problem, "no overload: " + std::string(type_name(a)) + " in list(…)",
                    a == Type::list || a == Type::json
                        ? operands[0].text + ".exists(x, x in " + operands[1].text + ")"
                        : "lists hold addresses, networks, domains and texts");
    case Op::index:
      if (in_set(a, set_of(Type::list, Type::map, Type::json))) return Type::any;
      return refuse(problem, "no overload: " + std::string(type_name(a)) + "[…]",
                    "only lists and maps have parts; " + operands[0].text + " is " +
                        std::string(type_name(a)));
    case Op::select:
      if (in_set(a, kMapLike)) return Type::any;
      return refuse(problem,
                    operands[0].text + " is " + std::string(type_name(a)) + " and has no fields");
    case Op::not_: return check_bools(op, operands, 1, problem);
    case Op::and_:
    case Op::or_: return check_bools(op, operands, operands.size(), problem);
    case Op::ternary:
      if (!check_bools(op, operands, 1, problem)) return std::nullopt;
      return operands[1].type == operands[2].type ? operands[1].type : Type::any;
    case Op::all:
    case Op::exists:
    case Op::exists_one:
    case Op::map_list:
    case Op::filter:
      if (in_set(a, set_of(Type::list, Type::map, Type::json)))
        return op == Op::map_list || op == Op::filter ? Type::list : Type::boolean;
      return refuse(problem, std::string(op_text(op)) + "() needs a list or map, got " +
                                 std::string(type_name(a)));
    default: return Type::any;
  }
}

std::optional<Type> check_call(const Function& function, const std::vector<TypedText>& args,
                               TypeProblem& problem) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (in_set(args[i].type, function.takes(i))) continue;
    std::string call(function.name);
    std::size_t first = 0;
    if (function.style == CallStyle::member) {
      call = std::string(type_name(args[0].type)) + "." + call;
      first = 1;
    }
    call += '(';
    for (std::size_t k = first; k < args.size(); ++k) {
      if (k > first) call += ", ";
      call += type_name(args[k].type);
    }
    std::string hint;
    if ((function.takes(i) & kText) != 0 && number(args[i].type))
      hint = "convert it first: string(" + args[i].text + ")";
    if (function.takes(i) == set_of(Type::ip) && args[i].type == Type::string)
      hint = "convert it first: ip(" + args[i].text + ")";
    if (args[i].type == Type::string && in_set(Type::timestamp, function.takes(i)))
      hint = "convert it first: timestamp(" + args[i].text + ")";
    return refuse(problem, "no overload: " + call + ")", std::move(hint));
  }
  return function.result;
}

}  // namespace streamd::expr
