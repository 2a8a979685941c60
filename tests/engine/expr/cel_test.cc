// SPDX-License-Identifier: Apache-2.0
// Semantics of the language, in the categories of the public conformance suite.
#include "tests/engine/expr/expr_support.h"
#include "tests/support/catch.h"

using namespace streamd;
using namespace streamd::expr_test;

namespace {
void run(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    INFO(c.text);
    CHECK(evaluated(c.text) == c.result);
  }
}
}  // namespace

TEST_CASE("literals are read as the grammar says") {
  run({{"42", "int 42"},
       {"0x2A", "int 42"},
       {"-9223372036854775808", "int -9223372036854775808"},
       {"42u", "uint 42"},
       {"0x2AU", "uint 42"},
       {".5", "double 0.5"},
       {"1e3", "double 1000"},
       {"1.5e-3", "double 0.0015"},
       {"true", "bool true"},
       {"null", "null null"},
       {"'a\\tb'", "string a\tb"},
       {"r'a\\tb'", "string a\\tb"},
       {"\"\\u00e9\\x41\\101\"",
        "string \xC3\xA9"
        "AA"},
       {"'\\xFF' == '\\u00ff'", "bool true"},
       {"b'\\xFF' == b'\\377'", "bool true"},
       {"'''a\n'b''''", "refused: text is not closed"},
       {"'''a\nb'''", "string a\nb"},
       {"b'\\u00e9'", "refused: \\u is not allowed in bytes"},
       {"1.", "refused: expected the name of a field after \".\", got the end"},
       {"9223372036854775808", "refused: number is too large for int"},
       {"'\\q'", "refused: unknown escape in a text"},
       {"'\\ud800'", "refused: escape is no Unicode character"},
       {"1 // comment\n + 2", "int 3"},
       {"[1, 2,]", "list [1,2]"},
       {"{'a': 1,}", "map {\"a\":1}"}});
}

TEST_CASE("precedence and associativity follow the grammar") {
  run({{"1 + 2 * 3", "int 7"},
       {"(1 + 2) * 3", "int 9"},
       {"10 - 3 - 2", "int 5"},
       {"true || false && false", "bool true"},
       {"!true || true", "bool true"},
       {"1 < 2 == true", "bool true"},
       {"true ? 1 : false ? 2 : 3", "int 1"},
       {"false ? 1 : false ? 2 : 3", "int 3"},
       {"--5", "int 5"},
       {"- -9223372036854775807", "int 9223372036854775807"},
       {"-[1, 2][1]", "int -2"},
       {"!!!false", "bool true"}});
}

TEST_CASE("logic absorbs errors from either side") {
  run({{"1/0 > 0 || true", "bool true"},
       {"true || 1/0 > 0", "bool true"},
       {"1/0 > 0 && false", "bool false"},
       {"false && 1/0 > 0", "bool false"},
       {"1/0 > 0 || false", "error"},
       {"1/0 > 0 && true", "error"},
       {"dyn('a') && false", "bool false"},
       {"dyn('a') && true", "error"},
       {"dyn(1) || true", "bool true"},
       {"!(1/0 > 0)", "error"},
       {"true ? 1 : 1/0", "int 1"},
       {"false ? 1/0 : 2", "int 2"},
       {"dyn(1) ? 1 : 2", "error"},
       {"1/0 > 0 ? 1 : 2", "error"},
       {"false || false || 1/0 > 0 || true", "bool true"}});
}

TEST_CASE("int and uint arithmetic truncates and never wraps") {
  run({{"7 / 2", "int 3"},
       {"-7 / 2", "int -3"},
       {"-3 % 5", "int -3"},
       {"7 % -5", "int 2"},
       {"9223372036854775807 + 1", "error"},
       {"-9223372036854775807 - 2", "error"},
       {"9223372036854775807 * 2", "error"},
       {"-(-9223372036854775808)", "error"},
       {"-9223372036854775808 / -1", "error"},
       {"-9223372036854775808 % -1", "error"},
       {"1 / 0", "error"},
       {"1 % 0", "error"},
       {"0u - 1u", "error"},
       {"18446744073709551615u + 1u", "error"},
       {"5u / 2u", "uint 2"},
       {"5u % 2u", "uint 1"},
       {"1u / 0u", "error"},
       {"dyn(1) + dyn(1u)", "error"},
       {"dyn(1) + dyn(1.0)", "error"},
       {"dyn(-1) - dyn('a')", "error"}});
}

TEST_CASE("double arithmetic is IEEE") {
  run({{"1.5 + 1.0", "double 2.5"},
       {"1.0 / 0.0", "double Infinity"},
       {"-1.0 / 0.0", "double -Infinity"},
       {"0.0 / 0.0 == 0.0 / 0.0", "bool false"},
       {"0.0 / 0.0 != 0.0 / 0.0", "bool true"},
       {"1e308 * 10.0", "double Infinity"},
       {"dyn(3.0) % dyn(2.0)", "error"},
       {"-(1.5)", "double -1.5"}});
}

TEST_CASE("numbers compare on one line whatever their type") {
  run({{"1 == 1.0", "bool true"},
       {"dyn(1) == 1u", "bool true"},
       {"dyn(-1) < 1u", "bool true"},
       {"2u > 1.5", "bool true"},
       {"dyn(9223372036854775807) < 9223372036854775808.0", "bool false"},
       {"dyn(9223372036854775807) >= 9223372036854775808.0", "bool true"},
       {"dyn(1) == '1'", "bool false"},
       {"dyn(1) != '1'", "bool true"},
       {"dyn(1) < '1'", "error"},
       {"dyn(1) == null", "bool false"},
       {"null == null", "bool true"},
       {"'a' < 'b'", "bool true"},
       {"false < true", "bool true"},
       {"b'a' < b'b'", "bool true"},
       {"[1, 2.0] == [1.0, 2]", "bool true"},
       {"{'a': 1, 'b': 2} == {'b': 2.0, 'a': 1u}", "bool true"},
       {"[1] == [2]", "bool false"},
       {"[1] == [1, 2]", "bool false"},
       {"dyn([1]) < dyn([2])", "error"}});
}

TEST_CASE("lists and maps can be built, indexed and searched") {
  run({{"[1, 2] + [3]", "list [1,2,3]"},
       {"[1, 2][1]", "int 2"},
       {"[1, 2][2]", "refused: index out of bounds: the list has 2 elements"},
       {"[1, 2][-1]", "refused: index out of bounds: the list has 2 elements"},
       {"[1, 2][dyn(1.0)]", "int 2"},
       {"[1, 2][dyn(0.5)]", "refused: index out of bounds: the list has 2 elements"},
       {"{'a': 1}.a", "int 1"},
       {"{'a': 1}['b']", "refused: no such key \"b\""},
       {"{1u: 'a'}[1]", "string a"},
       {"{0: 1, 0u: 2}", "error"},
       {"{1.5: 1}", "error"},
       {"1 in [1, 2]", "bool true"},
       {"dyn(3.0) in [1, 2, 3]", "bool true"},
       {"'x' in []", "bool false"},
       {"'a' in {'a': 1}", "bool true"},
       {"2 in {1: 2}", "bool false"},
       {"size([1, 2])", "int 2"},
       {"{'a': 1}.size()", "int 1"},
       {"[[1], [2]][1][0]", "int 2"},
       {"{'k-1': {'x': 5}}.`k-1`.x", "int 5"},
       {"has({'a': null}.a)", "bool true"},
       {"has({'a': 1}.b)", "bool false"}});
}

TEST_CASE("macros fold like && and ||") {
  run({{"[1, 2, 3].all(x, x > 0)", "bool true"},
       {"[].all(x, x > 0)", "bool true"},
       {"[].exists(x, true)", "bool false"},
       {"[1, 'foo', 3].all(e, e % 2 == 1)", "error"},
       {"[1, 2, 3].all(e, 6 / (2 - e) == 6)", "bool false"},
       {"[1, 0].exists(x, 1 / x == 1)", "bool true"},
       {"[0, 2].exists(x, 1 / x == 1)", "error"},
       {"[1, 2].exists_one(x, x > 1)", "bool true"},
       {"[1, 0].exists_one(x, 1 / x == 1)", "error"},
       {"[1, 2].map(x, x * x)", "list [1,4]"},
       {"[1, 2, 3].map(x, x > 1, x * x)", "list [4,9]"},
       {"[1, 2, 3].filter(x, x > 1)", "list [2,3]"},
       {"{'a': 1, 'b': 2}.all(k, k < 'c')", "bool true"},
       {"{'a': 1}.map(k, k)", "list [\"a\"]"},
       {"[[1], [2, 3]].exists(x, x.exists(y, y == 3))", "bool true"},
       {"[1].all(x, [2].all(x, x == 2))", "bool true"},
       {"[0, 1].map(x, 1 / x)", "error"},
       {"dyn(1).all(x, x)", "error"}});
}

TEST_CASE("conversions refuse what does not fit") {
  run({{"int('42')", "int 42"},
       {"int('x')", "refused: \"x\" is no int"},
       {"int(1.9)", "int 1"},
       {"int(-1.9)", "int -1"},
       {"int(9223372036854775808.0)", "refused: number is out of the range of int"},
       {"int(18446744073709551615u)", "refused: number is out of the range of int"},
       {"int(timestamp('1970-01-01T00:01:00Z'))", "int 60"},
       {"uint(-1)", "refused: number is out of the range of uint"},
       {"uint(3.9)", "uint 3"},
       {"uint('7')", "uint 7"},
       {"double('NaN') == 1.0", "bool false"},
       {"double('1e3')", "double 1000"},
       {"double('')", "refused: \"\" is no double"},
       {"string(1.5)", "string 1.5"},
       {"string(-0.0045)", "string -0.0045"},
       {"string(9876u)", "string 9876"},
       {"string(b'\\xff')", "refused: bytes are no valid UTF-8"},
       {"string(true)", "string true"},
       {"string(duration('60001ms'))", "string 60.001s"},
       {"bytes('\\u00e9') == b'\\xc3\\xa9'", "bool true"},
       {"bool('True')", "bool true"},
       {"bool('TrUe')", "refused: \"TrUe\" is no bool"},
       {"bool('0')", "bool false"},
       {"type(1) == int", "bool true"},
       {"type(1.0) == double", "bool true"},
       {"type(type(1)) == type", "bool true"},
       {"type(null) == null_type", "bool true"},
       {"type(timestamp(0)) == google.protobuf.Timestamp", "bool true"},
       {"type([]) == map", "bool false"}});
}

TEST_CASE("text functions count code points") {
  run({{"size('\\u00e9t\\u00e9')", "int 3"},
       {"'abc'.contains('')", "bool true"},
       {"'abc'.startsWith('ab')", "bool true"},
       {"'abc'.endsWith('bc')", "bool true"},
       {"'abc'.matches('b')", "bool true"},
       {"matches('abc', '^b')", "bool false"},
       {"'abc'.matches(dyn('('))", "refused: invalid pattern: missing ): ("},
       {"'\\u00e9a'.charAt(1)", "string a"},
       {"'a'.charAt(1)", "string "},
       {"'a'.charAt(2)", "refused: offset is out of bounds of the text"},
       {"'\\u00e9a'.indexOf('a')", "int 1"},
       {"'aa'.indexOf('a', 1)", "int 1"},
       {"'aba'.lastIndexOf('a')", "int 2"},
       {"'a'.indexOf('z')", "int -1"},
       {"'A\\u00c9'.lowerAscii()", "string a\xC3\x89"},
       {"'ab'.upperAscii()", "string AB"},
       {"'aaa'.replace('a', 'b', 2)", "string bba"},
       {"'ab'.replace('', '-')", "string -a-b-"},
       {"'a,b,c'.split(',')", "list [\"a\",\"b\",\"c\"]"},
       {"'a,b,c'.split(',', 2)", "list [\"a\",\"b,c\"]"},
       {"'ab'.split('')", "list [\"a\",\"b\"]"},
       {"'a'.split(',', 0)", "list []"},
       {"'hello'.substring(1, 3)", "string el"},
       {"'hello'.substring(4, 3)", "refused: offset is out of bounds of the text"},
       {"'hello'.substring(6)", "refused: offset is out of bounds of the text"},
       {"' \\u3000a '.trim()", "string a"},
       {"['a', 'b'].join('-')", "string a-b"},
       {"[1].join()", "refused: join() needs a list of texts; convert with map(x, string(x))"},
       {"'\\u00e9a'.reverse()", "string a\xC3\xA9"},
       {"'a' + 'b'", "string ab"}});
}

TEST_CASE("math functions work on all numbers") {
  run({{"math.greatest(1, 2.5, 2u)", "double 2.5"},
       {"math.least([3, 1, 2])", "int 1"},
       {"math.abs(-3)", "int 3"},
       {"math.abs(-9223372036854775808)", "refused: overflow of int in math.abs()"},
       {"math.ceil(1.2)", "double 2"},
       {"math.floor(-1.2)", "double -2"},
       {"math.round(2.5)", "double 3"},
       {"math.greatest([])", "refused: an empty list has no greatest or least element"},
       {"math.isNaN(0.0/0.0)", "bool true"}});
}

TEST_CASE("limits give errors instead of a hang") {
  const std::string nested = std::string(150, '(') + "1" + std::string(150, ')');
  CHECK(evaluated(nested) == "refused: the expression is nested too deep");
  CHECK(evaluated(std::string(32, '(') + "1" + std::string(32, ')')) == "int 1");
  CHECK(evaluated(std::string(32, '!') + "true") == "bool true");
  std::string terms = "false", sum = "1";
  for (int i = 0; i < 3000; ++i) terms += " || false";
  CHECK(evaluated(terms) == "bool false");
  for (int i = 0; i < 3000; ++i) sum += " + 1";
  CHECK(evaluated(sum) == "refused: the expression is nested too deep");
  CHECK(evaluated(std::string(70000, ' ') + "1") ==
        "refused: the expression is longer than 64 KiB");
  const std::string ten = "[0,1,2,3,4,5,6,7,8,9]";
  std::string loops = "x0 >= 0";
  for (int i = 0; i < 8; ++i) loops = ten + ".all(x" + std::to_string(i) + ", " + loops + ")";
  std::string why;
  CHECK(evaluated(loops, table({}), &why) == "error");
  CHECK(why == "the expression costs too much on this record");
  std::string grow = "'aaaaaaaaaaaaaaaa'";
  for (int i = 0; i < 12; ++i) grow += ".replace('a', 'aaaaaaaaaaaaaaaa')";
  CHECK(evaluated(grow) == "refused: the expression costs too much on this record");
}
