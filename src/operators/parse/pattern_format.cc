// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/grok.h"
#include "engine/codec/short_decimal.h"
#include "operators/conversion.h"
#include "operators/parse/format.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace streamd::parse {
namespace {

// Enough of a value to find it, in a reason for people.
constexpr std::size_t kShown = 64;

bool convert(std::string_view text, GrokField::Type type, Value& value) {
  value = Value::string(text);
  if (type == GrokField::Type::text) return true;
  std::optional<Value> made;
  if (type == GrokField::Type::int64) {
    std::int64_t number = 0;
    if (text.starts_with('+')) text.remove_prefix(1);
    made = short_int(text, number) ? Value::int64(number) : to_int(Value::string(text));
  } else {
    double number = 0;
    if (text.starts_with('+')) text.remove_prefix(1);
    made = short_double(text, number) ? Value::float64(number) : to_double(Value::string(text));
  }
  if (made) value = *made;
  return made.has_value();
}

class PatternReader final : public RowReader {
 public:
  explicit PatternReader(const Grok& grok)
      : RowReader(grok.fields().size()), grok_(grok), found_(grok.fields().size()) {}

 protected:
  bool read_row(std::string_view text, Arena&, Value* values, std::string& why) override {
    if (!grok_.match(text, found_.data(), scratch_)) {
      why = "the pattern does not match";
      return false;
    }
    for (std::size_t f = 0; f < found_.size(); ++f) {
      if (found_[f].data() == nullptr) continue;
      const GrokField& field = grok_.fields()[f];
      if (convert(found_[f], field.type, values[f])) continue;
      why = fmt::format("\"{}\" is no {}: \"{}\"", field.name,
                        field.type == GrokField::Type::int64 ? "int" : "double",
                        found_[f].substr(0, kShown));
      return false;
    }
    return true;
  }

 private:
  const Grok& grok_;
  std::vector<std::string_view> found_;
  Grok::Scratch scratch_;
};

class PatternFormat final : public Format {
 public:
  explicit PatternFormat(Grok grok) : grok_(std::move(grok)) {
    for (const GrokField& field : grok_.fields())
      fields_.push_back({field.name, field.type == GrokField::Type::text    ? Type::string
                                     : field.type == GrokField::Type::int64 ? Type::int64
                                                                            : Type::float64});
  }
  std::unique_ptr<Reader> reader() const override { return std::make_unique<PatternReader>(grok_); }

 private:
  const Grok grok_;
};

void report(const GrokProblem& problem, const ConfigNode& node, Diagnostics& problems) {
  const bool main = problem.pattern == GrokProblem::kMain;
  const ConfigNode* where = node.find(main ? "pattern" : "patterns");
  if (where != nullptr && !main && problem.pattern < where->entries.size())
    where = &where->entries[problem.pattern].second;
  if (where == nullptr) where = &node;
  problems.error(
      "bad-pattern", where->place_at(problem.at, problem.length),
      where->substituted ? "invalid pattern, with its variables put in" : problem.message,
      problem.hint);
}

}  // namespace

std::unique_ptr<Format> make_pattern_format(const Config& config, const ConfigNode& node,
                                            Diagnostics& problems) {
  const bool is_grok = config.format == FormatKind::grok;
  std::vector<GrokProblem> wrong;
  Grok grok = Grok::compile(config.pattern, config.patterns,
                            is_grok ? Grok::Style::grok : Grok::Style::regex, wrong);
  for (const GrokProblem& problem : wrong) report(problem, node, problems);
  if (!wrong.empty()) return nullptr;
  return std::make_unique<PatternFormat>(std::move(grok));
}

}  // namespace streamd::parse
