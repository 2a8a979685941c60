// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/parser.h"

#include "engine/expr/expression.h"
#include "engine/expr/field_paths.h"
#include "engine/expr/functions.h"
#include "engine/expr/syntax_hints.h"

#include <algorithm>
#include <array>
#include <limits>

namespace streamd::expr {
namespace {

constexpr int kMaxTreeDepth = 250;  // chains such as a + a + a are trees as deep as they are long

constexpr std::array<std::string_view, 17> kReserved = {
    "as",  "break", "const",   "continue",  "else",   "for", "function", "if",   "import",
    "let", "loop",  "package", "namespace", "return", "var", "void",     "while"};

bool reserved(std::string_view name) {
  return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}

class Parser {
 public:
  Parser(const std::vector<Lexeme>& lexemes, ParsedExpression& into, SyntaxError& error)
      : lexemes_(lexemes), into_(into), error_(error) {}

  bool run() {
    into_.root = expression();
    if (into_.root && here().token != Token::end) into_.root = unexpected("the end");
    return into_.root != nullptr;
  }

 private:
  const Lexeme& here() const { return lexemes_[at_]; }
  bool is(std::string_view symbol) const {
    return here().token == Token::symbol && here().text == symbol;
  }
  bool accept(std::string_view symbol) {
    if (!is(symbol)) return false;
    ++at_;
    return true;
  }
  AstPtr refuse(const Lexeme& where, std::string message, std::string hint = {}) {
    error_ = {where.offset, std::max<std::uint32_t>(where.length, 1), std::move(message),
              std::move(hint)};
    return nullptr;
  }
  AstPtr unexpected(std::string_view wanted) {
    const Lexeme& l = here();
    std::string found = "the end";
    if (l.token == Token::symbol || l.token == Token::ident)
      found = "\"" + l.text + "\"";
    else if (l.token == Token::string || l.token == Token::bytes)
      found = "a text";
    else if (l.token == Token::quoted_ident)
      found = "a name";
    else if (l.token != Token::end)
      found = "a number";
    return refuse(l, "expected " + std::string(wanted) + ", got " + found,
                  syntax_hint(l, at_ > 0 ? &lexemes_[at_ - 1] : nullptr, wanted));
  }
  bool expect(std::string_view symbol) {
    if (accept(symbol)) return true;
    unexpected("\"" + std::string(symbol) + "\"");
    return false;
  }

  AstPtr make(Op op, std::uint32_t offset, std::vector<AstPtr> kids = {}, std::string name = {}) {
    auto node = std::make_unique<Ast>();
    node->op = op;
    node->offset = offset;
    node->name = std::move(name);
    node->kids = std::move(kids);
    for (const auto& kid : node->kids) node->depth = std::max(node->depth, kid->depth + 1);
    const Lexeme& last = lexemes_[at_ > 0 ? at_ - 1 : 0];
    const std::uint32_t end = last.offset + last.length;
    node->length = end > offset ? end - offset : 1;
    if (node->depth > kMaxTreeDepth)
      return refuse(last, "the expression is nested too deep", "split it into several fields");
    return node;
  }
  AstPtr pair(Op op, std::uint32_t offset, AstPtr a, AstPtr b) {
    std::vector<AstPtr> kids;
    kids.push_back(std::move(a));
    kids.push_back(std::move(b));
    return make(op, offset, std::move(kids));
  }
  AstPtr single(Op op, std::uint32_t offset, AstPtr a, std::string name = {}) {
    std::vector<AstPtr> kids;
    kids.push_back(std::move(a));
    return make(op, offset, std::move(kids), std::move(name));
  }
  AstPtr constant(std::uint32_t offset, Value value) {
    AstPtr node = make(Op::constant, offset);
    if (node) node->literal = value;
    return node;
  }

  AstPtr expression() {
    if (++nesting_ > kMaxDepth)
      return refuse(here(), "the expression is nested too deep", "split it into several fields");
    AstPtr out = ternary();
    --nesting_;
    return out;
  }

  AstPtr ternary() {
    const std::uint32_t offset = here().offset;
    AstPtr condition = chain(Op::or_);
    if (!condition || !accept("?")) return condition;
    AstPtr yes = chain(Op::or_);
    if (!yes || !expect(":")) return nullptr;
    AstPtr no = expression();
    if (!no) return nullptr;
    std::vector<AstPtr> kids;
    kids.push_back(std::move(condition));
    kids.push_back(std::move(yes));
    kids.push_back(std::move(no));
    return make(Op::ternary, offset, std::move(kids));
  }

  // a || b || c and a && b && c become one node, so that long lists of terms stay flat.
  AstPtr chain(Op op) {
    const std::uint32_t offset = here().offset;
    const std::string_view symbol = op == Op::or_ ? "||" : "&&";
    AstPtr first = op == Op::or_ ? chain(Op::and_) : relation();
    if (!first || !is(symbol)) return first;
    std::vector<AstPtr> kids;
    kids.push_back(std::move(first));
    while (accept(symbol)) {
      AstPtr next = op == Op::or_ ? chain(Op::and_) : relation();
      if (!next) return nullptr;
      kids.push_back(std::move(next));
    }
    return make(op, offset, std::move(kids));
  }

  AstPtr relation() {
    static constexpr std::array<std::pair<std::string_view, Op>, 6> kOps = {{{"==", Op::eq},
                                                                             {"!=", Op::ne},
                                                                             {"<=", Op::le},
                                                                             {">=", Op::ge},
                                                                             {"<", Op::lt},
                                                                             {">", Op::gt}}};
    const std::uint32_t offset = here().offset;
    AstPtr left = sum();
    while (left) {
      Op op = Op::constant;
      if (here().token == Token::ident && here().text == "in") op = Op::in;
      for (const auto& [symbol, candidate] : kOps)
        if (is(symbol)) op = candidate;
      if (op == Op::constant) break;
      ++at_;
      AstPtr right = sum();
      if (!right) return nullptr;
      left = pair(op, offset, std::move(left), std::move(right));
    }
    return left;
  }

  AstPtr sum() {
    const std::uint32_t offset = here().offset;
    AstPtr left = product();
    while (left && (is("+") || is("-"))) {
      const Op op = is("+") ? Op::add : Op::sub;
      ++at_;
      AstPtr right = product();
      if (!right) return nullptr;
      left = pair(op, offset, std::move(left), std::move(right));
    }
    return left;
  }

  AstPtr product() {
    const std::uint32_t offset = here().offset;
    AstPtr left = unary();
    while (left && (is("*") || is("/") || is("%"))) {
      const Op op = is("*") ? Op::mul : is("/") ? Op::div : Op::mod;
      ++at_;
      AstPtr right = unary();
      if (!right) return nullptr;
      left = pair(op, offset, std::move(left), std::move(right));
    }
    return left;
  }

  AstPtr unary() {
    const std::uint32_t offset = here().offset;
    const bool negation = is("!");
    const std::string_view symbol = negation ? "!" : "-";
    std::size_t count = 0;
    while (accept(symbol)) ++count;
    if (count > kMaxTreeDepth)
      return refuse(lexemes_[at_ - 1], "the expression is nested too deep");
    bool negative_literal = false;
    if (!negation && count > 0 && (here().token == Token::integer || here().token == Token::real)) {
      negative_literal = true;
      --count;
    }
    AstPtr node = member(negative_literal);
    for (; node && count > 0; --count)
      node = single(negation ? Op::not_ : Op::negate, offset, std::move(node));
    return node;
  }

  AstPtr member(bool negative_literal) {
    const std::uint32_t offset = here().offset;
    AstPtr node = primary(negative_literal);
    while (node) {
      if (accept("[")) {
        AstPtr key = expression();
        if (!key || !expect("]")) return nullptr;
        node = pair(Op::index, offset, std::move(node), std::move(key));
      } else if (accept(".")) {
        node = selection(std::move(node), offset);
      } else {
        break;
      }
    }
    return node;
  }

  AstPtr selection(AstPtr target, std::uint32_t offset) {
    const Lexeme name = here();
    if (name.token != Token::ident && name.token != Token::quoted_ident)
      return unexpected("the name of a field after \".\"");
    ++at_;
    if (name.token == Token::ident && is("(")) return method(std::move(target), name, offset);
    return single(Op::select, offset, std::move(target), name.text);
  }

  AstPtr method(AstPtr target, const Lexeme& name, std::uint32_t offset) {
    ++at_;
    std::vector<AstPtr> args;
    if (!arguments(")", false, args)) return nullptr;
    if (const Op macro = macro_of(name.text); macro != Op::constant)
      return comprehension(macro, std::move(target), std::move(args), name, offset);
    const bool plain = target->op == Op::ident && !target->quoted;
    if (plain && find_function(target->name + "." + name.text, CallStyle::global) != nullptr)
      return make(Op::call, offset, std::move(args), target->name + "." + name.text);
    args.insert(args.begin(), std::move(target));
    AstPtr node = make(Op::call, name.offset, std::move(args), name.text);
    if (node) node->receiver = true;
    return node;
  }

  static Op macro_of(std::string_view name) {
    if (name == "all") return Op::all;
    if (name == "exists") return Op::exists;
    if (name == "exists_one" || name == "existsOne") return Op::exists_one;
    if (name == "map") return Op::map_list;
    if (name == "filter") return Op::filter;
    return Op::constant;
  }

  AstPtr comprehension(Op op, AstPtr range, std::vector<AstPtr> args, const Lexeme& name,
                       std::uint32_t offset) {
    const bool right_count = args.size() == 2 || (op == Op::map_list && args.size() == 3);
    if (!right_count)
      return refuse(name, name.text + "() takes a variable and an expression",
                    "for example: tags." + name.text + "(t, t != '')");
    if (args[0]->op != Op::ident || args[0]->quoted || args[0]->root)
      return refuse(name, "the first argument of " + name.text + "() must be a plain name");
    const std::string variable = args[0]->name;
    args[0] = std::move(range);
    return make(op, offset, std::move(args), variable);
  }

  bool arguments(std::string_view close, bool trailing_comma, std::vector<AstPtr>& into) {
    if (accept(close)) return true;
    while (true) {
      AstPtr arg = expression();
      if (!arg) return false;
      into.push_back(std::move(arg));
      if (accept(close)) return true;
      if (!accept(",")) {
        unexpected("\",\" or \"" + std::string(close) + "\"");
        return false;
      }
      if (trailing_comma && accept(close)) return true;
    }
  }

  AstPtr primary(bool negative) {
    const Lexeme& l = here();
    const std::uint32_t offset = l.offset;
    switch (l.token) {
      case Token::integer: return integer(negative);
      case Token::uinteger: ++at_; return constant(offset, Value::uint64(l.integer));
      case Token::real: ++at_; return constant(offset, Value::float64(negative ? -l.real : l.real));
      case Token::string: ++at_; return constant(offset, Value::string(into_.arena.copy(l.text)));
      case Token::bytes: ++at_; return constant(offset, Value::bytes(into_.arena.copy(l.text)));
      case Token::ident:
      case Token::quoted_ident: return name(false);
      case Token::end: return unexpected("a value");
      case Token::symbol: break;
    }
    if (accept("(")) {
      AstPtr inner = expression();
      return inner && expect(")") ? std::move(inner) : nullptr;
    }
    if (accept("[")) {
      std::vector<AstPtr> items;
      if (!arguments("]", true, items)) return nullptr;
      return make(Op::list, offset, std::move(items));
    }
    if (accept("{")) return map_literal(offset);
    if (accept(".")) {
      if (here().token == Token::ident || here().token == Token::quoted_ident) return name(true);
      return unexpected("a name");
    }
    return unexpected("a value");
  }

  AstPtr integer(bool negative) {
    const Lexeme& l = here();
    const std::uint64_t limit = std::uint64_t{1} << 63;
    if (l.integer > limit || (l.integer == limit && !negative))
      return refuse(l, "number is too large for int", "write it as uint (123u) or double (123.0)");
    ++at_;
    const std::uint64_t magnitude = negative ? ~l.integer + 1 : l.integer;
    return constant(l.offset, Value::int64(static_cast<std::int64_t>(magnitude)));
  }

  AstPtr map_literal(std::uint32_t offset) {
    std::vector<AstPtr> pairs;
    while (!accept("}")) {
      AstPtr key = expression();
      if (!key || !expect(":")) return nullptr;
      AstPtr value = expression();
      if (!value) return nullptr;
      pairs.push_back(std::move(key));
      pairs.push_back(std::move(value));
      if (accept("}")) break;
      if (!accept(",")) return unexpected("\",\" or \"}\"");
    }
    return make(Op::map, offset, std::move(pairs));
  }

  AstPtr name(bool root) {
    const Lexeme l = here();
    ++at_;
    if (l.token == Token::ident) {
      if (l.text == "true" || l.text == "false")
        return constant(l.offset, Value::boolean(l.text == "true"));
      if (l.text == "null") return constant(l.offset, Value::null());
      if (l.text == "in" || reserved(l.text))
        return refuse(l, "\"" + l.text + "\" is a reserved word",
                      "a field of that name is written in back quotes: `" + l.text + "`");
      if (is("(")) return call(l);
      if (is("{")) return refuse(l, "messages are not supported", "write a map: {'key': value}");
    }
    AstPtr node = make(Op::ident, l.offset, {}, l.text);
    if (node) {
      node->quoted = l.token == Token::quoted_ident;
      node->root = root;
    }
    return node;
  }

  AstPtr call(const Lexeme& name) {
    ++at_;
    std::vector<AstPtr> args;
    if (!arguments(")", false, args)) return nullptr;
    if (name.text == "has") {
      if (args.size() != 1 || (args[0]->op != Op::select && args[0]->op != Op::ident))
        return refuse(name, "has() takes one field", "for example: has(user.name)");
      return make(Op::has, name.offset, std::move(args));
    }
    return make(Op::call, name.offset, std::move(args), name.text);
  }

  const std::vector<Lexeme>& lexemes_;
  ParsedExpression& into_;
  SyntaxError& error_;
  std::size_t at_ = 0;
  int nesting_ = 0;
};

}  // namespace

bool parse_text(std::string_view text, ParsedExpression& into, SyntaxError& error) {
  if (text.size() > kMaxTextBytes) {
    error = {0, 1, "the expression is longer than 64 KiB", "split it into several fields"};
    return false;
  }
  const auto lexemes = cut(text, error);
  if (!lexemes) return false;
  if (lexemes->size() == 1) {
    error = {0, 1, "the expression is empty",
             "write a condition or a value, for example status >= 400"};
    return false;
  }
  if (!Parser(*lexemes, into, error).run()) return false;
  mark_type_names(*into.root);
  return true;
}

}  // namespace streamd::expr
