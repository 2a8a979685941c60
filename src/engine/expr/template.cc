// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/template.h"

#include "engine/expr/text_span.h"

#include <string>
#include <string_view>
#include <utility>

namespace streamd::expr {
namespace {

// The end of the comment at `at`: that of its line, or of the hole.
std::size_t comment_end(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] != '\n' && text.substr(at, 2) != "}}") ++at;
  return at;
}

// Offset of the `}}` that closes the hole which begins at `at`; npos when there is none. Braces
// inside texts and maps do not count.
std::size_t hole_end(std::string_view text, std::size_t at) {
  int depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"' || c == '\'' || c == '`') {
      at = text_end(text, at);
    } else if (text.substr(at, 2) == "//") {
      at = comment_end(text, at);
    } else if (c == '}' && depth == 0) {
      return text.substr(at, 2) == "}}" ? at : std::string_view::npos;
    } else {
      depth += c == '{' ? 1 : c == '}' ? -1 : 0;
      ++at;
    }
  }
  return std::string_view::npos;
}

}  // namespace

std::optional<Template> Template::parse(const TemplateText& text, Diagnostics& problems) {
  const std::string_view all = text.text;
  auto parts = std::make_shared<std::vector<Part>>(1);
  bool good = true;
  for (std::size_t at = 0; at < all.size();) {
    const std::string_view rest = all.substr(at);
    if (rest.starts_with("{{{{") || rest.starts_with("}}}}")) {
      parts->back().literal += rest.substr(0, 2);
      at += 4;
      continue;
    }
    if (!rest.starts_with("{{")) {
      parts->back().literal += rest.front();
      ++at;
      continue;
    }
    const std::size_t end = hole_end(all, at + 2);
    if (end == std::string_view::npos) {
      problems.error("bad-template", text.where.place_at(at, 2), "\"{{\" is not closed by \"}}\"",
                     "for two braces as text, write {{{{");
      return std::nullopt;
    }
    const std::string source(all.substr(at + 2, end - at - 2));
    auto hole = Expression::parse_part(source, text.where, at + 2, problems);
    good = good && hole.has_value();
    parts->back().hole = std::move(hole);
    parts->emplace_back();
    at = end + 2;
  }
  if (!good) return std::nullopt;
  Template out;
  out.parts_ = std::move(parts);
  return out;
}

void Template::fields(std::set<std::string>& into) const {
  for (const Part& part : *parts_)
    if (part.hole) part.hole->fields(into);
}

bool Template::literal() const { return parts_->size() == 1; }

std::string_view Template::literal_prefix() const { return parts_->front().literal; }

std::optional<BoundTemplate> Template::bind(const Schema& in, Diagnostics& problems) const {
  auto bound = std::make_shared<std::vector<BoundTemplate::Part>>();
  bool good = true;
  for (const Part& part : *parts_) {
    BoundTemplate::Part out;
    out.literal = part.literal;
    if (part.hole) {
      out.hole = part.hole->bind(in, problems);
      good = good && out.hole.has_value();
    }
    bound->push_back(std::move(out));
  }
  if (!good) return std::nullopt;
  BoundTemplate out;
  out.parts_ = std::move(bound);
  return out;
}

bool BoundTemplate::render(const Batch& in, std::size_t i, std::string& out, std::string* why,
                           Escape escape) const {
  thread_local Arena scratch(4096);
  scratch.clear();
  std::string printed;
  for (const Part& part : *parts_) {
    out += part.literal;
    if (!part.hole) continue;
    const Value v = part.hole->evaluate_row(in, i, scratch);
    printed.clear();
    if (append_printed(v, escape == nullptr ? out : printed)) {
      if (escape != nullptr) escape(printed, out);
      continue;
    }
    if (why != nullptr) *why = v.is(Kind::error) ? std::string(v.text()) : "the field is missing";
    return false;
  }
  return true;
}

}  // namespace streamd::expr
