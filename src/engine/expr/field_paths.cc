// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/field_paths.h"

#include "engine/expr/bind.h"
#include "engine/expr/convert.h"

#include <algorithm>
#include <set>

namespace streamd::expr {

bool comprehension(Op op) { return op >= Op::all; }

bool is_variable(const Ast& ast, const Scopes& scopes) {
  return ast.op == Op::ident && !ast.quoted && !ast.root &&
         std::find(scopes.begin(), scopes.end(), ast.name) != scopes.end();
}

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

namespace {

bool calls_type(const Ast& ast) {
  return ast.op == Op::call && !ast.receiver && ast.name == "type";
}

void mark_type_name(Ast& ast) {
  const auto path = path_of(ast, {});
  ast.type = path && !starts_quoted(ast) && !known_type_name(joined(*path, path->size())).empty();
}

void collect(const Ast& ast, Scopes& scopes, std::set<std::string>& into) {
  if (ast.op == Op::ident || ast.op == Op::select) {
    if (const auto path = path_of(ast, scopes)) {
      if (!ast.type) into.insert(joined(*path, path->size()));
      return;
    }
  }
  for (std::size_t i = 0; i < ast.kids.size(); ++i) {
    const bool inner = comprehension(ast.op) && i > 0;
    if (inner) scopes.push_back(ast.name);
    collect(*ast.kids[i], scopes, into);
    if (inner) scopes.pop_back();
  }
}

}  // namespace

void mark_type_names(Ast& root) {
  if (root.op == Op::eq || root.op == Op::ne) {
    if (calls_type(*root.kids[0])) mark_type_name(*root.kids[1]);
    if (calls_type(*root.kids[1])) mark_type_name(*root.kids[0]);
  }
  if (root.op == Op::in && calls_type(*root.kids[0]) && root.kids[1]->op == Op::list)
    for (const AstPtr& element : root.kids[1]->kids) mark_type_name(*element);
  for (const AstPtr& kid : root.kids) mark_type_names(*kid);
}

void collect_fields(const ParsedExpression& parsed, std::set<std::string>& into) {
  Scopes scopes;
  collect(*parsed.root, scopes, into);
}

}  // namespace streamd::expr
