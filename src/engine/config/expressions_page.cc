// SPDX-License-Identifier: Apache-2.0
#include "engine/config/pages.h"
#include "engine/expr/expression.h"
#include "engine/expr/function_scope.h"

#include <fmt/format.h>

namespace streamd {
namespace {

static_assert(expr::kMaxCost == 1'000'000, "the page says so");

// Each line of the first column of a table that is code is true of a record (see the test of it).
constexpr std::string_view kLanguage = R"(# Expressions

`where`, `having`, `set` and what stands in `{{ }}` are expressions of the Common Expression Language
([CEL](https://cel.dev)). They are checked before anything runs: names, types, patterns and constants.

## Fields

| write | for |
|---|---|
| `status` | a field of the record |
| `user.name` | a field of an object; so is `user["name"]` |
| ``headers.`content-type` `` | one with other signs than letters, digits and `_`; so is `` `@timestamp` `` |
| `tags[0]` | an element of an array, from 0 on |
| `has(user.name)` | whether the record has the field; it may be null |

A field that a record does not have, or of a type that the operation does not take, makes the expression fail: the record
becomes a dead letter with code `expression`, or `template` where the expression stands in `{{ }}`. `has(x) && x > 3` asks
first. Where one side of `&&` or `||` decides alone, the other may fail.

An expression that costs too much on one record fails, too: it may take a million steps. A step is an operation (for each
element of a list that a macro goes through), or 16 bytes of a long text that is searched, made or compared.

## Values

| write | type |
|---|---|
| `42`, `0x2A` | `int`, 64 bits; JSON numbers without a fraction are ints |
| `42u` | `uint` |
| `1.5`, `1e3` | `double` |
| `'GET'`, `"GET"` | `string`; `r'\d+'` leaves backslashes alone, three quotes may hold several lines |
| `b'GET'` | `bytes` |
| `true`, `false`, `null` | `bool`, `null` |
| `[200, 204]` | `list` |
| `{'host': host}` | `map` |

Nothing is converted in silence: `'200' == 200` is refused or false, `1 + 1.0` is an error. What logs write as text becomes a
number with the operator `convert`, or with `int(status)`. Numbers of different types can be compared.

## Operators

| operator | for |
|---|---|
| `a && b`, `a \|\| b`, `!a` | conditions |
| `a ? b : c` | b where a is true, else c |
| `==`, `!=` | anything |
| `<`, `<=`, `>`, `>=` | numbers, texts, bytes, times, durations, bools |
| `+` `-` `*` `/` `%` | numbers of one type; `/` and `%` of ints by 0 fail, and so does what is too large |
| `+` | texts, bytes, lists; a time and a duration |
| `-` | two times make a duration |
| `x in [1, 2]` | an element of a list, or a key of a map |
| `address in list("bad")` | on an indicator list of the pipeline; see the operator `match` |

## Of lists and maps

| write | gives |
|---|---|
| `[1, 2].all(x, x > 0)` | whether it is true of all elements |
| `[1, 2].exists(x, x > 1)` | of one of them |
| `[1, 2].exists_one(x, x > 1)` | of exactly one |
| `[1, 2].map(x, x * 2)` | a list of what that gives; `map(x, x > 1, x * 2)` takes only some |
| `[1, 2].filter(x, x > 1)` | those of which it is true |

Of a map they see the keys.
)";

void group(std::string_view title, std::span<const expr::Function> functions, std::string& out) {
  out += fmt::format(
      "\n### {}\n\n| function | what it gives | for instance, true |\n|---|---|---|\n", title);
  for (const expr::Function& function : functions)
    out += fmt::format("| `{}` | {} | `{}` |\n", table_cell(signature(function)),
                       table_cell(function.help), table_cell(function.example));
}

}  // namespace

std::string expressions_page(const Registry& registry) {
  std::string out(kPageFront);
  out += kLanguage;
  out +=
      "\n## Functions\n\nWith the types that they take and give; `[ ]` may be left out. `json` is "
      "an array or an "
      "object of a record.\n";
  for (const expr::FunctionGroup& each : expr::function_groups())
    group(each.title, each.functions, out);
  if (registry.functions() && !registry.functions()->all().empty()) {
    out += "\n### Of plugins\n\n| function | what it gives |\n|---|---|\n";
    for (const auto& function : registry.functions()->all())
      out += fmt::format("| `{}` | {} (plugin {}) |\n", table_cell(function.name),
                         table_cell(function.summary), function.plugin);
  }
  return out;
}

}  // namespace streamd
