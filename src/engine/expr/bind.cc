// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/bind.h"

#include "engine/expr/bind_types.h"
#include "engine/expr/constant_set.h"
#include "engine/expr/convert.h"
#include "engine/expr/functions.h"
#include "engine/expr/scalar.h"

#include <re2/re2.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace streamd::expr {
namespace {

using Scopes = std::vector<std::string>;

bool comprehension(Op op) { return op >= Op::all; }

bool is_variable(const Ast& ast, const Scopes& scopes) {
  return ast.op == Op::ident && !ast.quoted && !ast.root &&
         std::find(scopes.begin(), scopes.end(), ast.name) != scopes.end();
}

// Segments of a.b.c when it starts at a field and not at a variable.
std::optional<std::vector<std::string>> path_of(const Ast& ast, const Scopes& scopes) {
  std::vector<std::string> segments;
  const Ast* at = &ast;
  for (; at->op == Op::select; at = at->kids[0].get()) segments.push_back(at->name);
  if (at->op != Op::ident || is_variable(*at, scopes)) return std::nullopt;
  segments.push_back(at->name);
  std::reverse(segments.begin(), segments.end());
  return segments;
}

bool starts_quoted(const Ast& ast) {
  const Ast* at = &ast;
  while (at->op == Op::select) at = at->kids[0].get();
  return at->quoted;
}

std::string joined(const std::vector<std::string>& segments, std::size_t count) {
  std::string out = segments[0];
  for (std::size_t i = 1; i < count; ++i) out += "." + segments[i];
  return out;
}

void collect(const Ast& ast, bool types, Scopes& scopes, std::set<std::string>& into) {
  if (ast.op == Op::ident || ast.op == Op::select) {
    if (const auto path = path_of(ast, scopes)) {
      const std::string name = joined(*path, path->size());
      const bool type = types && !starts_quoted(ast) && !known_type_name(name).empty();
      if (!type) into.insert(name);
      return;
    }
  }
  for (std::size_t i = 0; i < ast.kids.size(); ++i) {
    const bool inner = comprehension(ast.op) && i > 0;
    if (inner) scopes.push_back(ast.name);
    collect(*ast.kids[i], types, scopes, into);
    if (inner) scopes.pop_back();
  }
}

class Binder {
 public:
  Binder(const ParsedExpression& parsed, const Schema& in, Diagnostics& problems, Arena& arena)
      : parsed_(parsed), in_(in), problems_(problems), context_{arena} {}

  // Null when it has reported a problem.
  NodePtr bind(const Ast& ast) {
    if (ast.op == Op::constant) return constant(ast.literal, type_of(ast.literal.kind()));
    if (ast.op == Op::ident || ast.op == Op::select) return bind_name(ast);
    if (ast.op == Op::has) return bind_has(ast);
    if (ast.op == Op::call) return bind_call(ast);
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
    if (good && node.slot >= context_.variables.size())
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
                          " and has no field \"" + path[i] + "\"");
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
    if (parsed_.calls_type && !starts_quoted(ast))
      if (const std::string_view type = known_type_name(name); !type.empty())
        return constant(Value::string(type), Type::string);
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
    std::string out = "the fields here are ";
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

  NodePtr unknown_function(const Ast& ast, CallStyle style) {
    const CallStyle other = style == CallStyle::member ? CallStyle::global : CallStyle::member;
    std::string hint;
    if (find_function(ast.name, other) != nullptr) {
      hint = other == CallStyle::member ? "it is called on a value: x." + ast.name + "(…)"
                                        : "write " + ast.name + "(…) with the value as argument";
    } else {
      std::vector<std::string> names = function_names(style);
      if (style == CallStyle::member)
        for (const char* macro : {"all", "exists", "exists_one", "map", "filter"})
          names.emplace_back(macro);
      else
        names.emplace_back("has");
      if (const std::string close = closest(ast.name, names); !close.empty())
        hint = "did you mean " + close + "()?";
    }
    return refuse(ast, "unknown-function", "unknown function \"" + ast.name + "\"",
                  std::move(hint));
  }

  NodePtr bind_call(const Ast& ast) {
    const CallStyle style = ast.receiver ? CallStyle::member : CallStyle::global;
    const Function* function = find_function(ast.name, style);
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
    return finish(ast, std::move(node));
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
               std::to_string(count - self));
    return false;
  }

  bool compile_pattern(const Ast& ast, Node& node) {
    const Node& text = *node.kids[1];
    if (text.op != Op::constant || !text.constant.is(Kind::string)) return true;
    const re2::StringPiece source_text(text.constant.text().data(), text.constant.text().size());
    auto pattern = std::make_shared<re2::RE2>(source_text, re2::RE2::Quiet);
    if (!pattern->ok()) {
      refuse(*ast.kids[1], "bad-pattern", "invalid pattern: " + pattern->error(),
             "patterns are RE2; write them as raw texts: r'\\d+'");
      return false;
    }
    node.pattern = std::move(pattern);
    return true;
  }

  NodePtr finish(const Ast& ast, NodePtr node) {
    bool constants = node->op != Op::field && node->op != Op::variable;
    for (const auto& kid : node->kids)
      constants = constants && kid->op == Op::constant && !kid->constant.is(Kind::error);
    if (constants) {
      context_.budget = kMaxCost;
      const Value v = interpret(context_, *node);
      if (!v.is(Kind::error)) return constant(v, node->type);
      if (node->op == Op::call && node->function->fold_strictly)
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
  Context context_;
  Scopes scopes_;
};

}  // namespace

std::shared_ptr<const CompiledProgram> bind_tree(std::shared_ptr<const ParsedExpression> parsed,
                                                 const Schema& in, Diagnostics& problems) {
  auto out = std::make_shared<CompiledProgram>();
  out->root = Binder(*parsed, in, problems, out->arena).bind(*parsed->root);
  out->parsed = std::move(parsed);
  return out->root ? out : nullptr;
}

void collect_fields(const ParsedExpression& parsed, std::set<std::string>& into) {
  Scopes scopes;
  collect(*parsed.root, parsed.calls_type, scopes, into);
}

}  // namespace streamd::expr
