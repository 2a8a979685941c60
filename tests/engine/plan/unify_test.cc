// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/draft.h"
#include "tests/support/catch.h"

using namespace streamd;

namespace {

Schema schema(std::vector<Field> fields, bool open, std::vector<std::string> hidden = {}) {
  return {std::move(fields), open, std::move(hidden)};
}

std::string names(const Schema& s) {
  std::string out;
  for (const auto& f : s.fields)
    out += f.name + ":" + std::string(type_name(f.type)) + (f.derived ? "! " : " ");
  for (const auto& h : s.hidden) out += "-" + h + " ";
  return out + (s.open ? "open" : "closed");
}

using Columns = std::vector<std::vector<int>>;

}  // namespace

TEST_CASE("one input stays what it is") {
  const Schema in = schema({{"b", Type::int64, true}, {"a", Type::any}}, true, {"c"});
  const Unified u = unify({in}, Pass::last);
  CHECK(names(u.schema) == "b:int! a:any -c open");
  CHECK(u.columns == Columns{{0, 1}});
}

TEST_CASE("closed inputs give every column of any") {
  const Unified u = unify({schema({{"a", Type::int64}, {"b", Type::string}}, false),
                           schema({{"c", Type::any}, {"a", Type::float64, true}}, false)},
                          Pass::last);
  CHECK(names(u.schema) == "a:any! b:string c:any closed");
  CHECK(u.columns == Columns{{0, 1, -1}, {1, -1, 0}});
}

TEST_CASE("open inputs leave to the raw bytes what they all have there") {
  const Unified u =
      unify({schema({{"a", Type::any}, {"b", Type::any}}, true), schema({{"a", Type::any}}, true)},
            Pass::last);
  CHECK(names(u.schema) == "a:any open");
}

TEST_CASE("what one open input changed or removed is a column for all") {
  const Unified u = unify({schema({{"n", Type::int64, true}, {"x", Type::any}}, true),
                           schema({{"n", Type::any}}, true, {"x"})},
                          Pass::last);
  CHECK(names(u.schema) == "n:any! x:any! open");
  CHECK(u.columns == Columns{{0, 1}, {0, -1}});
}

TEST_CASE("what all open inputs removed stays removed") {
  const Unified u = unify({schema({}, true, {"x"}), schema({}, true, {"x"})}, Pass::last);
  CHECK(names(u.schema) == "-x open");
}

TEST_CASE("a mix of open and closed is closed in the end") {
  const std::vector<Schema> in = {schema({{"a", Type::any}}, true),
                                  schema({{"a", Type::int64}, {"n", Type::int64}}, false)};
  CHECK(unify(in, Pass::first).schema.open);
  CHECK(names(unify(in, Pass::last).schema) == "a:any n:int closed");
}
