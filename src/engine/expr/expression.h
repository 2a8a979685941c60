// SPDX-License-Identifier: Apache-2.0
// Expressions of a pipeline file: CEL (Common Expression Language), parsed once, bound to the
// schema of the records once, evaluated a column at a time by any number of workers.
//
// Where streamd differs from plain CEL:
// - Names are fields of the record. `a.b.c` is the column "a.b.c" when there is one, else field c
//   of column "a.b", and so on. Odd names are written in back quotes: `@timestamp`.
// - Reading a field that the record does not have is an error of that record; has(a.b) asks. A
//   field that is null is there: has() is true, and == null too.
// - Integral JSON numbers are int, so `status / 100 == 4` works.
// - Names of types (int, string, …) mean types only in an expression that calls type(); elsewhere
//   they are fields. type(x) gives the name: type(1) == int and type(1) == 'int' are both true.
// - Limits on length, depth and cost per record give errors instead of a hang.
#pragma once

#include "engine/api/diagnostics.h"
#include "engine/api/field_type.h"
#include "engine/core/arena.h"
#include "engine/core/batch.h"
#include "engine/core/schema.h"
#include "engine/core/value.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::expr {

// A longer text, or one nested deeper, is refused by parse().
inline constexpr std::size_t kMaxTextBytes = 64 * 1024;
inline constexpr int kMaxDepth = 100;
// Steps (elements visited, and bytes copied or read / 16) that one record may cost; more gives
// the error "the expression costs too much".
inline constexpr std::uint64_t kMaxCost = 1'000'000;

struct ParsedExpression;
struct CompiledProgram;

// Compiled expression. Const and shared between workers; cheap to copy. A default-constructed one
// must not be evaluated.
class Program {
 public:
  Program() = default;
  explicit Program(std::shared_ptr<const CompiledProgram> compiled);

  // Type::any when only the record can tell.
  Type type() const;

  // Evaluates every selected row of `in`. `out` is resized to in.physical_rows(); entries of
  // unselected rows are unspecified. Results may point into the arena, the batch or the program,
  // so all three must outlive them. A row that failed has Kind::error with the reason as text;
  // reading a field that the record does not have is such a failure.
  void evaluate(const Batch& in, Arena& arena, std::vector<Value>& out) const;

  // One record: 0 <= i < in.size(). The same result as evaluate(), for those who need a few.
  Value evaluate_row(const Batch& in, std::size_t i, Arena& arena) const;

  // For conditions. Appends nothing: both vectors are overwritten, ascending. `kept` gets the
  // physical indices of the rows that are true, `failed` those that gave an error or no bool.
  struct Failure {
    std::uint32_t row;
    std::string_view reason;  // lives as long as the arena and the program
  };
  void select(const Batch& in, Arena& arena, std::vector<std::uint32_t>& kept,
              std::vector<Failure>& failed) const;

 private:
  std::shared_ptr<const CompiledProgram> compiled_;
};

// Parsed expression, not yet tied to a schema. Immutable and cheap to copy.
class Expression {
 public:
  Expression() = default;

  // Reports the first syntax error at its place inside the scalar; nullopt then.
  static std::optional<Expression> parse(const ExprText& text, Diagnostics& problems);

  // Adds the dotted paths of the record fields that it reads: "status", "location.country".
  // Variables of comprehensions are not fields.
  void fields(std::set<std::string>& into) const;

  const std::string& text() const;  // as written

  // Resolves names to columns of `in`, checks types where they are known and compiles constants.
  // Reports every problem at its place: unknown fields of a closed schema, unknown functions,
  // operators without an overload for the known types, invalid constant patterns and addresses.
  // nullopt on an error.
  // A field that an open schema has no column for is absent in every record.
  std::optional<Program> bind(const Schema& in, Diagnostics& problems) const;

 private:
  friend class Template;
  // `text` begins at `base` inside the scalar.
  static std::optional<Expression> parse_part(std::string text, const ConfigNode& where,
                                              std::size_t base, Diagnostics& problems);
  std::shared_ptr<const ParsedExpression> parsed_;
};

}  // namespace streamd::expr
