// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/bind.h"

#include "engine/api/list_names.h"
#include "engine/expr/bind_types.h"
#include "engine/expr/constant_set.h"
#include "engine/expr/convert.h"
#include "engine/expr/field_paths.h"
#include "engine/expr/function_scope.h"
#include "engine/expr/functions.h"
#include "engine/expr/scalar.h"
#include "engine/expr/time_text.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace streamd::expr {
namespace {

constexpr const char* kListFunction = "list";

class Binder {
 public:
  Binder(const ParsedExpression& parsed, const Schema& in, Diagnostics& problems,
         CompiledProgram& out)
      : parsed_(parsed), in_(in), problems_(problems), out_(out), context_{out.arena} {}

  // Null when it has reported a problem.
  NodePtr bind(const Ast& ast) {
    if (ast.op == Op::constant) return constant(ast.literal, type_of(ast.literal.kind()));
    if (ast.op == Op::ident || ast.op == Op::select) return bind_name(ast);
    if (ast.op == Op::has) return bind_has(ast);
    if (ast.op == Op::call) return bind_call(ast);
    if (ast.op == Op::in && names_lists(*ast.kids[1])) return bind_in_list(ast);
    NodePtr node = make(ast.op);
    if (!bind_kids(ast, *node)) return nullptr;
    if (ast.op == Op::list || ast.op == Op::map) {
      node->type = ast.op == Op::list ? Type::list : Type::map;
    } else if (!check(ast, *node)) {
      return nullptr;
    }
    return finish(ast, std::move(node));
  }

 private:
  static NodePtr make(Op op) {
    auto node = std::make_unique<Node>();
    node->op = op;
    return node;
  }
  static NodePtr constant(Value value, Type type) {
    NodePtr node = make(Op::constant);
    node->constant = value;
    node->type = type;
    node->cheap = true;
    return node;
  }
  NodePtr refuse(const Ast& where, std::string code, std::string message, std::string hint = {}) {
    problems_.error(std::move(code), parsed_.place(where.offset, where.length), std::move(message),
                    std::move(hint));
    return nullptr;
  }
  std::string source(const Ast& ast) const {
    std::string text = parsed_.text.substr(ast.offset, ast.length);
    return text.size() <= 60 ? text : text.substr(0, 57) + "…";
  }

  bool bind_kids(const Ast& ast, Node& node) {
    bool good = true;
    for (std::size_t i = 0; i < ast.kids.size(); ++i) {
      const bool inner = comprehension(ast.op) && i > 0;
      if (inner) {
        node.slot = static_cast<std::uint32_t>(scopes_.size());
        scopes_.push_back(ast.name);
      }
      NodePtr kid = bind(*ast.kids[i]);
      if (inner) scopes_.pop_back();
      good = good && kid != nullptr;
      node.kids.push_back(std::move(kid));
    }
    if (good && node.slot >= Context::kVariables)
      return refuse(ast, "bad-expression", "macros are nested too deep") != nullptr;
    return good;
  }

  std::vector<TypedText> operands(const Ast& ast, const Node& node) const {
    std::vector<TypedText> out;
    for (std::size_t i = 0; i < node.kids.size(); ++i)
      out.push_back({node.kids[i]->type, source(*ast.kids[i])});
    return out;
  }

  bool check(const Ast& ast, Node& node) {
    TypeProblem problem;
    const auto type = check_operator(ast.op, operands(ast, node), problem);
    if (type)
      node.type = *type;
    else
      refuse(ast, "type-mismatch", std::move(problem.message), std::move(problem.hint));
    return type.has_value();
  }

  NodePtr bind_name(const Ast& ast) {
    if (is_variable(ast, scopes_)) {
      NodePtr node = make(Op::variable);
      const auto found = std::find(scopes_.rbegin(), scopes_.rend(), ast.name);
      node->slot = static_cast<std::uint32_t>(scopes_.rend() - found - 1);
      return node;
    }
    const auto path = path_of(ast, scopes_);
    if (!path) {
      NodePtr node = make(Op::select);
      node->name = ast.name;
      if (!bind_kids(ast, *node) || !check(ast, *node)) return nullptr;
      return finish(ast, std::move(node));
    }
    if (ast.type)
      return constant(Value::string(known_type_name(joined(*path, path->size()))), Type::string);
    for (std::size_t n = path->size(); n > 0; --n)
      if (const auto column = in_.find(joined(*path, n))) return column_of(ast, *path, n, *column);
    return absent(ast, joined(*path, path->size()), *path);
  }

  NodePtr column_of(const Ast& ast, const std::vector<std::string>& path, std::size_t used,
                    std::size_t column) {
    NodePtr node = make(Op::field);
    node->slot = static_cast<std::uint32_t>(column);
    node->type = in_.fields[column].type;
    node->cheap = true;
    std::string name = joined(path, used);
    node->constant = no_field(name);
    for (std::size_t i = used; i < path.size(); ++i) {
      if (node->type != Type::any && node->type != Type::map && node->type != Type::json)
        return refuse(ast, "unknown-field",
                      "\"" + name + "\" is " + std::string(type_name(node->type)) +
                          " and has no field \"" + path[i] + "\"",
                      "use " + name + " itself, or take it apart before with a parse operator");
      NodePtr outer = make(Op::select);
      outer->name = path[i];
      outer->kids.push_back(std::move(node));
      node = std::move(outer);
      name += "." + path[i];
    }
    return node;
  }

  Value no_field(const std::string& name) {
    return failure(context_, "no such field \"" + name + "\"");
  }

  NodePtr absent(const Ast& ast, const std::string& name, const std::vector<std::string>& path) {
    for (std::size_t n = 1; n <= path.size(); ++n)
      if (in_.open && in_.is_hidden(joined(path, n)))
        return refuse(ast, "unknown-field",
                      "field \"" + joined(path, n) + "\" was removed or renamed before this node");
    if (in_.open) return constant(no_field(name), Type::any);
    std::vector<std::string> known;
    for (const Field& f : in_.fields) known.push_back(f.name);
    const std::string close = closest(name, known);
    std::string hint = close.empty() ? known_fields(known) : "did you mean \"" + close + "\"?";
    return refuse(ast, "unknown-field", "unknown field \"" + name + "\"", std::move(hint));
  }

  static std::string known_fields(const std::vector<std::string>& known) {
    if (known.empty()) return "the records have no fields here";
    std::string out = "a text is written in quotes; the fields here are ";
    for (std::size_t i = 0; i < known.size() && i < 12; ++i) out += (i > 0 ? ", " : "") + known[i];
    return known.size() > 12 ? out + ", …" : out;
  }

  NodePtr bind_has(const Ast& ast) {
    const Ast& what = *ast.kids[0];
    if (is_variable(what, scopes_)) return refuse(ast, "bad-expression", "has() takes one field");
    NodePtr kid = bind(what);
    if (!kid) return nullptr;
    if (kid->op == Op::constant) {
      const bool there = !kid->constant.is(Kind::error);
      return constant(Value::boolean(there), Type::boolean);
    }
    NodePtr node = make(Op::has);
    node->type = Type::boolean;
    node->cheap = kid->op == Op::field;
    node->kids.push_back(std::move(kid));
    return node;
  }

  static bool names_lists(const Ast& ast) {
    return ast.op == Op::call && !ast.receiver && ast.name == kListFunction;
  }

  // The lists of list("a", "b") become what the node refers to; nothing is known of their content.
  NodePtr bind_in_list(const Ast& ast) {
    const Ast& call = *ast.kids[1];
    NodePtr node = make(Op::in_list);
    node->type = Type::boolean;
    NodePtr element = bind(*ast.kids[0]);
    bool good = element != nullptr;
    if (call.kids.empty())
      good = refuse(call, "wrong-arguments", "list() takes the name of a list",
                    known_lists(in_.lists.get())) != nullptr;
    for (const auto& name : call.kids) good = add_list(*name, *node) && good;
    if (!good) return nullptr;
    TypeProblem problem;
    const std::vector<TypedText> texts = {{element->type, source(*ast.kids[0])},
                                          {Type::any, source(call)}};
    if (!check_operator(Op::in_list, texts, problem))
      return refuse(ast, "type-mismatch", std::move(problem.message), std::move(problem.hint));
    node->kids.push_back(std::move(element));
    return node;
  }

  bool add_list(const Ast& name, Node& node) {
    if (name.op != Op::constant || !name.literal.is(Kind::string)) {
      refuse(name, "wrong-arguments", "list() takes names in quotes", known_lists(in_.lists.get()));
      return false;
    }
    auto slot = in_.lists ? in_.lists->find(name.literal.text()) : nullptr;
    if (!slot) {
      refuse(name, "unknown-list", "unknown list \"" + std::string(name.literal.text()) + "\"",
             unknown_list_hint(in_.lists.get(), std::string(name.literal.text())));
      return false;
    }
    auto& lists = out_.lists;
    const auto at = std::find(lists.begin(), lists.end(), slot);
    node.lists.push_back(static_cast<std::uint32_t>(at - lists.begin()));
    if (at == lists.end()) lists.push_back(std::move(slot));
    return true;
  }

  const Function* find(std::string_view name, CallStyle style) const {
    const Function* const built_in = find_function(name, style);
    if (built_in != nullptr || !in_.functions) return built_in;
    return in_.functions->find(name, style);
  }

  static bool is_aggregate(std::string_view name) {
    constexpr std::array<std::string_view, 8> kAggregates = {"count", "sum",   "avg",  "distinct",
                                                             "first", "share", "rate", "quantile"};
    return std::find(kAggregates.begin(), kAggregates.end(), name) != kAggregates.end();
  }

  NodePtr unknown_function(const Ast& ast, CallStyle style) {
    const CallStyle other = style == CallStyle::member ? CallStyle::global : CallStyle::member;
    std::string hint;
    if (ast.name == kListFunction) {
      hint = "it stands to the right of in: client_ip in list(\"name\")";
    } else if (find(ast.name, other) != nullptr) {
      hint = other == CallStyle::member ? "it is called on a value: x." + ast.name + "(…)"
                                        : "write " + ast.name + "(…) with the value as argument";
    } else {
      std::vector<std::string> names = function_names(style);
      if (in_.functions)
        for (const AddedFunction& added : in_.functions->all())
          if (added.style == style) names.push_back(added.name);
      if (style == CallStyle::member)
        for (const char* macro : {"all", "exists", "exists_one", "map", "filter"})
          names.emplace_back(macro);
      else
        names.emplace_back("has");
      const CallStyle wrong = style == CallStyle::member ? CallStyle::global : CallStyle::member;
      const std::string close = closest(ast.name, names);
      const std::string turned = closest(ast.name, function_names(wrong));
      if (!close.empty())
        hint = "did you mean " + close + "()?";
      else if (!turned.empty())
        hint = wrong == CallStyle::member ? "did you mean x." + turned + "()?"
                                          : "did you mean " + turned + "(x)?";
      else if (is_aggregate(ast.name))
        hint = "give it a name below compute of a window, and use the name";
      else
        hint = "streamd list functions shows all of them, such as contains, matches, size, int";
    }
    return refuse(ast, "unknown-function", "unknown function \"" + ast.name + "\"",
                  std::move(hint));
  }

  NodePtr bind_call(const Ast& ast) {
    const CallStyle style = ast.receiver ? CallStyle::member : CallStyle::global;
    const Function* function = find(ast.name, style);
    if (function == nullptr) {
      unknown_function(ast, style);
      for (std::size_t i = ast.receiver ? 1 : 0; i < ast.kids.size(); ++i) bind(*ast.kids[i]);
      return nullptr;
    }
    NodePtr node = make(Op::call);
    node->function = function;
    if (!bind_kids(ast, *node)) return nullptr;
    if (!count_matches(ast, *function)) return nullptr;
    TypeProblem problem;
    const auto type = check_call(*function, operands(ast, *node), problem);
    if (!type)
      return refuse(ast, "type-mismatch", std::move(problem.message), std::move(problem.hint));
    node->type = *type;
    if (function->name == "matches" && !compile_pattern(ast, *node)) return nullptr;
    if (function->takes_zone && !is_zone_known(ast, *node)) return nullptr;
    return finish(ast, std::move(node));
  }

  // startsWith, 1 -> x.startsWith(a)
  static std::string usage(const Ast& ast, std::size_t arguments) {
    std::string text = (ast.receiver ? "x." : "") + ast.name + "(";
    for (std::size_t i = 0; i < arguments; ++i)
      text += (i > 0 ? ", " : "") + std::string(1, static_cast<char>('a' + i));
    return text + ")";
  }

  bool count_matches(const Ast& ast, const Function& function) {
    const std::size_t count = ast.kids.size();
    if (count >= function.min_args && count <= function.max_args) return true;
    const std::size_t self = ast.receiver ? 1 : 0;
    const std::size_t least = function.min_args - self, most = function.max_args - self;
    std::string takes = std::to_string(least);
    if (most != least) takes += " to " + std::to_string(most);
    refuse(ast, "wrong-arguments",
           ast.name + "() takes " + takes + (most == 1 ? " argument, got " : " arguments, got ") +
               std::to_string(count - self),
           "write " + usage(ast, least));
    return false;
  }

  bool compile_pattern(const Ast& ast, Node& node) {
    const Node& text = *node.kids[1];
    if (text.op != Op::constant || !text.constant.is(Kind::string)) return true;
    const re2::StringPiece source_text(text.constant.text().data(), text.constant.text().size());
    auto pattern = std::make_shared<re2::RE2>(source_text, re2::RE2::Quiet);
    if (!pattern->ok()) {
      refuse(*ast.kids[1], "bad-pattern", "invalid pattern: " + pattern->error(),
             pattern->error_code() == re2::RE2::ErrorBadPerlOp
                 ? "RE2 has no (?=…), (?!…) or (?<…): write two conditions instead"
                 : "patterns are RE2; write them as raw texts: r'\\d+'");
      return false;
    }
    node.pattern = std::move(pattern);
    return true;
  }

  bool is_zone_known(const Ast& ast, const Node& node) {
    if (node.kids.size() < 2) return true;
    const Value zone = node.kids[1]->constant;
    if (node.kids[1]->op != Op::constant || !zone.is(Kind::string)) return true;
    if (civil_time(EventTime{}, zone.text())) return true;
    refuse(*ast.kids[1], "bad-literal", "unknown time zone \"" + std::string(zone.text()) + "\"",
           "write a name such as Europe/Berlin or UTC, or a distance such as +05:30");
    return false;
  }

  // What fails with constants alone fails with every record. A sum or a quotient may stand behind a
  // condition that keeps it from being computed; a call or an index with such arguments is a typo.
  NodePtr finish(const Ast& ast, NodePtr node) {
    bool constants = node->op != Op::field && node->op != Op::variable;
    for (const auto& kid : node->kids)
      constants = constants && kid->op == Op::constant && !kid->constant.is(Kind::error);
    if (constants) {
      context_.budget = kMaxCost;
      const Value v = interpret(context_, *node);
      if (!v.is(Kind::error)) return constant(v, node->type);
      if (node->op == Op::call || node->op == Op::index)
        return refuse(ast, "bad-literal", std::string(v.text()));
    }
    prepare(*node);
    return node;
  }

  // Constants go to the right side of a comparison; constant lists become sets.
  static void prepare(Node& node) {
    static constexpr std::pair<Op, Op> kMirrored[] = {{Op::eq, Op::eq}, {Op::ne, Op::ne},
                                                      {Op::lt, Op::gt}, {Op::le, Op::ge},
                                                      {Op::gt, Op::lt}, {Op::ge, Op::le}};
    if (node.op >= Op::eq && node.op <= Op::ge && node.kids[0]->op == Op::constant) {
      for (const auto& [op, mirror] : kMirrored)
        if (node.op == op) {
          node.op = mirror;
          break;
        }
      std::swap(node.kids[0], node.kids[1]);
    }
    if (node.op == Op::in && node.kids[1]->op == Op::constant &&
        node.kids[1]->constant.is(Kind::list))
      node.set = std::make_shared<ConstantSet>(node.kids[1]->constant);
    bool cheap = node.op >= Op::not_ && node.op <= Op::or_ && node.op != Op::in;
    for (const auto& kid : node.kids) cheap = cheap && kid->cheap;
    node.cheap = cheap;
  }

  const ParsedExpression& parsed_;
  const Schema& in_;
  Diagnostics& problems_;
  CompiledProgram& out_;
  Context context_;
  Scopes scopes_;
};

}  // namespace

std::shared_ptr<const CompiledProgram> bind_tree(std::shared_ptr<const ParsedExpression> parsed,
                                                 const Schema& in, Diagnostics& problems) {
  auto out = std::make_shared<CompiledProgram>();
  out->functions = in.functions;
  out->root = Binder(*parsed, in, problems, *out).bind(*parsed->root);
  out->parsed = std::move(parsed);
  return out->root ? out : nullptr;
}

}  // namespace streamd::expr
