// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/syntax_hints.h"

namespace streamd::expr {
namespace {

// Words of other languages.
std::string word_hint(const Lexeme& l) {
  if (l.token != Token::ident) return {};
  std::string word;
  for (const char c : l.text) word += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  if (word == "and") return "write && for \"and\"";
  if (word == "or") return "write || for \"or\"";
  if (word == "not") return "write ! for \"not\": !(…)";
  if (word == "is") return "write == for \"is\"";
  if (word == "like") return "write x.contains('…'), x.startsWith('…') or x.matches('…')";
  if (word == "if" || word == "then") return "write condition ? value : other value";
  if (word == "distinct") return "write distinct(x) for the number of different values";
  return {};
}

}  // namespace

std::string syntax_hint(const Lexeme& here, const Lexeme* before, std::string_view wanted) {
  std::string hint = word_hint(here);
  if (hint.empty() && before != nullptr) hint = word_hint(*before);
  if (!hint.empty()) return hint;
  const bool end = here.token == Token::end;
  if (end && wanted.starts_with('"'))
    return "something is open until the end: close it, or remove what opens it";
  if (end) return "something has to follow, or what stands at the end is too much";
  if (wanted == "the end") return "write an operator such as && or == before it, or remove it";
  return {};
}

}  // namespace streamd::expr
