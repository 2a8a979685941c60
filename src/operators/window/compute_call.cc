// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/text_span.h"
#include "operators/window/window_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace streamd::window {
namespace {

struct Known {
  std::string_view name;
  Function function;
  int least;  // arguments
  int most;
  std::string_view usage;
};
constexpr std::array<Known, 14> kKnown = {{
    {"count", Function::count, 0, 1, "count() or count(condition)"},
    {"sum", Function::sum, 1, 1, "sum(x)"},
    {"avg", Function::avg, 1, 1, "avg(x)"},
    {"min", Function::min, 1, 1, "min(x)"},
    {"max", Function::max, 1, 1, "max(x)"},
    {"distinct", Function::distinct, 1, 1, "distinct(x)"},
    {"first", Function::first, 1, 1, "first(x)"},
    {"last", Function::last, 1, 1, "last(x)"},
    {"top", Function::top, 2, 2, "top(x, 5)"},
    {"topk", Function::top, 2, 2, "topk(x, 5)"},
    {"quantile", Function::quantile, 2, 2, "quantile(x, 0.99)"},
    {"rate", Function::rate, 0, 0, "rate()"},
    {"share", Function::share, 1, 1, "share(condition)"},
    {"entropy", Function::entropy, 1, 1, "entropy(x)"},
}};

struct Piece {
  std::size_t begin = 0;
  std::size_t end = 0;
};

Piece trim(std::string_view text, Piece piece) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (piece.begin < piece.end && space(text[piece.begin])) ++piece.begin;
  while (piece.end > piece.begin && space(text[piece.end - 1])) --piece.end;
  return piece;
}

enum class Balance { good, open, more_follows };

// The arguments between `open` and the parenthesis that closes it.
Balance split(std::string_view text, std::size_t open, std::vector<Piece>& pieces) {
  int depth = 0;
  std::size_t begin = open + 1;
  for (std::size_t i = open; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' || c == '\'' || c == '`') {
      const std::size_t end = expr::text_end(text, i);
      if (end == std::string_view::npos) return Balance::open;
      i = end - 1;
      continue;
    }
    if (text.substr(i, 2) == "//") {
      i = std::min(text.find('\n', i), text.size());
      continue;
    }
    if (c == '(' || c == '[' || c == '{')
      ++depth;
    else if (c == ')' || c == ']' || c == '}')
      --depth;
    if ((c == ',' && depth == 1) || (c == ')' && depth == 0)) {
      pieces.push_back(trim(text, {begin, i}));
      begin = i + 1;
    }
    if (depth == 0) {
      const Piece rest = trim(text, {i + 1, text.size()});
      if (pieces.size() == 1 && pieces[0].begin == pieces[0].end) pieces.clear();
      return rest.begin == rest.end ? Balance::good : Balance::more_follows;
    }
  }
  return Balance::open;
}

ExprText part_of(const ExprText& whole, Piece piece) {
  ExprText part;
  part.where = whole.where.part(piece.begin, piece.end - piece.begin);
  part.text = part.where.text;
  return part;
}

bool read_number(const std::string& text, double& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && std::isfinite(value);
}

}  // namespace

namespace {

// Names that others have for them.
std::string function_hint(const std::string& called) {
  if (called == "mean" || called == "average") return "write avg(x)";
  if (called == "median") return "write quantile(x, 0.5)";
  if (called == "percentile") return "write quantile(x, 0.99)";
  if (called == "unique" || called == "cardinality") return "write distinct(x)";
  std::string all;
  for (const auto& k : kKnown) all += (all.empty() ? "" : ", ") + std::string(k.name);
  return "the functions are " + all;
}

}  // namespace

std::optional<ComputeCall> parse_compute(const std::string& name, const ExprText& text,
                                         Diagnostics& problems) {
  const std::string_view whole = text.text;
  const auto bad = [&](std::string message, std::string hint) {
    problems.error("bad-compute", text.where.place, std::move(message), std::move(hint));
    return std::nullopt;
  };
  const std::size_t open = whole.find('(');
  const Piece head = trim(whole, {0, open == std::string_view::npos ? whole.size() : open});
  const std::string called(whole.substr(head.begin, head.end - head.begin));
  std::vector<std::string> names;
  const Known* known = nullptr;
  for (const auto& k : kKnown) {
    names.emplace_back(k.name);
    if (k.name == called) known = &k;
  }
  if (known == nullptr) {
    const std::string near = closest(called, names);
    return bad("\"" + name + "\" is not computed by one of the functions of a window",
               near.empty() ? function_hint(called) : "did you mean " + near + "(…)?");
  }
  std::vector<Piece> pieces;
  Balance balance = Balance::more_follows;
  if (open != std::string_view::npos) balance = split(whole, open, pieces);
  if (balance == Balance::open)
    return bad("a parenthesis of \"" + name + "\" is not closed", "close it with )");
  if (balance == Balance::more_follows)
    return bad("\"" + name + "\" must be one call of a function",
               "Write for example " + called + "(" + (known->least > 0 ? "x" : "") + ").");
  const int given = static_cast<int>(pieces.size());
  if (given < known->least || given > known->most)
    return bad(called + "() takes " + std::to_string(known->least) +
                   (known->most > known->least ? " or " + std::to_string(known->most) : "") +
                   (known->most == 1 ? " argument" : " arguments") + ", not " +
                   std::to_string(given),
               "write " + std::string(known->usage));
  ComputeCall call{name, known->function, std::nullopt, 0, called + "("};
  if (given > 0) {
    call.input = part_of(text, pieces[0]);
    if (call.input->text.empty())
      return bad(called + "() has an empty argument", "write " + std::string(known->usage));
    call.text += call.input->text;
  }
  if (given == 2) {
    const std::string number = part_of(text, pieces[1]).text;
    const bool top = known->function == Function::top;
    if (!read_number(number, call.argument) || (top ? call.argument < 1 || call.argument > 10000 ||
                                                          call.argument != std::floor(call.argument)
                                                    : call.argument < 0 || call.argument > 1))
      return bad(top ? "the second argument of " + called + "() is a whole number from 1 to 10000"
                     : "the second argument of quantile() is a number from 0 to 1",
                 top ? "Write for example " + called + "(host, 5)."
                     : "Write for example quantile(x, 0.99).");
    call.text += ", " + number;
  }
  call.text += ")";
  return call;
}

}  // namespace streamd::window
