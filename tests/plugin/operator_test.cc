// SPDX-License-Identifier: Apache-2.0
#include "tests/operators/keyed_node.h"
#include "tests/plugin/subject.h"

namespace streamd::test {
namespace {

Column numbers(const std::vector<std::int64_t>& values) {
  Column column;
  for (const std::int64_t value : values) column.push_back(Value::int64(value));
  return column;
}

struct Doubled {
  OperatorFixture fixture;
  explicit Doubled(ConfigNode fields = map_of({{"x", scalar("n")}}))
      : fixture(subject_registry(), "doubled", fields, open_schema({"n"})) {}
  void run(const Batch& batch) { fixture.run(batch); }
  Collector& out() { return fixture.out; }
};

// The error of one batch that meets `odd`.
std::string error_of(const std::string& how) {
  OperatorFixture odd(subject_registry(), "odd", map_of({{"how", scalar(how)}}),
                      open_schema({"n"}));
  REQUIRE(odd.problems.errors() == 0);
  OperatorContext context;
  context.node = "strange";
  const Status status = odd.plan->make(context)->on_batch(batch_of({numbers({1, 2, 3})}), odd.out);
  CHECK((status || odd.out.batches.empty()));
  return status ? "" : status.error().message;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a plugin's operator adds a field to the records it passes", "[plugin]") {
  Doubled doubled;
  doubled.run(batch_of({numbers({1, 21, 4})}));
  REQUIRE(doubled.out().batches.size() == 1);
  CHECK(doubled.fixture.ports.out.fields.back().name == "doubled");
  CHECK(doubled.fixture.ports.out.fields.back().type == Type::int64);
  CHECK(doubled.fixture.value("doubled", 1).as_int() == 42);
  CHECK(doubled.fixture.value("n", 2).as_int() == 4);
}

TEST_CASE("every record that a plugin gets is accounted for", "[plugin]") {
  Doubled doubled;
  doubled.run(batch_of({numbers({5, -1, 13, 2000, 7})}));
  CHECK(doubled.out().batches[0].size() == 2);
  CHECK(doubled.out().dropped[DropReason::late] == 1);
  CHECK(doubled.out().dropped[DropReason::filtered] == 1);
  REQUIRE(doubled.out().rejected.size() == 1);
  CHECK(doubled.out().rejected[0].row == 1);
  CHECK(doubled.out().rejected[0].code == "negative");
}

TEST_CASE("a plugin sees the selected records only", "[plugin]") {
  Doubled doubled;
  doubled.run(batch_of({numbers({1, 2, -3, 4})}).select({1, 3}));
  REQUIRE(doubled.out().batches[0].size() == 2);
  CHECK(doubled.fixture.value("doubled", 0).as_int() == 4);
  CHECK(doubled.fixture.value("doubled", 1).as_int() == 8);
  CHECK(doubled.out().rejected.empty());
}

TEST_CASE("an option of a plugin may be an expression", "[plugin]") {
  Doubled doubled(map_of({{"x", scalar("n + 1")}, {"as", scalar("result")}}));
  doubled.run(batch_of({numbers({1})}));
  CHECK(doubled.fixture.value("result", 0).as_int() == 4);
}

TEST_CASE("a field that no record has is missing to a plugin", "[plugin]") {
  Doubled doubled(map_of({{"x", scalar("nothing")}}));
  doubled.run(batch_of({numbers({1, 2})}));
  CHECK(doubled.out().rejected.size() == 2);
}

TEST_CASE("options of a plugin are checked like those of a built-in", "[plugin]") {
  const auto problem = [](const ConfigNode& fields) {
    Diagnostics problems;
    make_plan(subject_registry().operators(), "doubled", fields, problems);
    REQUIRE(problems.errors() == 1);
    return problems.all()[0];
  };
  CHECK(problem(map_of({})).code == "missing-key");
  const Diagnostic unknown = problem(map_of({{"x", scalar("n")}, {"limmit", scalar("3")}}));
  CHECK(unknown.code == "unknown-key");
  CHECK(unknown.hint == "did you mean \"limit\"?");
  CHECK(problem(map_of({{"x", scalar("n")}, {"limit", scalar("many")}})).code == "type-mismatch");
  CHECK(problem(map_of({{"x", scalar("n")}, {"limit", scalar("9000")}})).message ==
        "limit must be from 1 to 5000");
  const Diagnostic rule = problem(map_of({{"x", scalar("n")}, {"as", scalar("forbidden")}}));
  CHECK(rule.message == "as cannot be \"forbidden\"");
  CHECK(rule.hint == "Choose another name.");
}

TEST_CASE("what a plugin does wrong is said, with its name and the node's", "[plugin]") {
  CHECK(error_of("fine").empty());
  CHECK(has(error_of("throw"),
            "plugin \"subject\" (subject.so), node \"strange\": on_batch(): "
            "an exception came out: it broke"));
  CHECK(has(error_of("code"), "it returned 77, which means nothing here"));
  CHECK(has(error_of("fail"), "node \"strange\": the moon is full"));
  CHECK(has(error_of("retry"), "did not say why"));
  CHECK(has(error_of("kind"), "a value is of kind 77"));
  CHECK(has(error_of("text"), "a text is at no address"));
  CHECK(has(error_of("past"), "it wrote past its batch, in column \"made\""));
  CHECK(has(error_of("memory"), "it wrote past the memory"));
  CHECK(has(error_of("huge"), "it asked for 1099511627776 bytes at once"));
  CHECK(has(error_of("column"), "column 3 of 1"));
  CHECK(has(error_of("state"), "state_erase(), which is for keyed operators"));
  CHECK(has(error_of("emit"), "emit(), which is for operators that make records"));
  CHECK(has(error_of("many"), "of 3 records it passed 3, dropped 4"));
  CHECK(has(error_of("reason"), "there is no reason 99"));
  CHECK(has(error_of("order"), "it passed record 0, where a number from 1 to 2 belongs"));
  CHECK(has(error_of("again"), "pass() twice"));
  CHECK(has(error_of("reject"), "it rejected record 0"));
}

struct Visits {
  KeyedNode node;
  explicit Visits(unsigned workers = 1, const char* max_keys = "1000")
      : node(subject_registry(), "visits",
             map_of(
                 {{"by", scalar("user")}, {"max_keys", scalar(max_keys)}, {"keep", scalar("1h")}}),
             open_schema({"user"}), workers) {}
  void hit(const char* user, std::int64_t seconds) {
    node.records({strings({user})}, {seconds * 1'000'000});
  }
  void watermark(std::int64_t seconds) { node.watermark(seconds * 1'000'000); }
  std::string seen() const {
    std::string all;
    const auto users = node.given("user"), hits = node.given("hits"), notes = node.given("note");
    for (std::size_t i = 0; i < users.size(); ++i)
      all += std::string(users[i].text()) + " " + std::to_string(hits[i].as_int()) + " " +
             std::string(notes[i].text()) + "; ";
    return all;
  }
};

TEST_CASE("timers of a plugin fire when event time reaches them, earliest first", "[plugin]") {
  Visits visits;
  visits.hit("ann", 1);
  visits.hit("bob", 2);
  visits.hit("ann", 5);
  visits.watermark(11);
  CHECK(visits.seen().empty());
  visits.watermark(12);
  CHECK(visits.seen() == "bob 1 over; ");
  visits.watermark(15);
  CHECK(visits.seen() == "bob 1 over; ann 2 over; ");
  CHECK(visits.node.node.out.batches[0].time(0).micros == 12'000'000);
}

TEST_CASE("timers that are left fire when the input ends", "[plugin]") {
  Visits visits;
  visits.hit("ann", 1);
  visits.node.watermark(EventTime::max().micros);
  CHECK(visits.seen() == "ann 1 over; ");
}

TEST_CASE("state and timers of a plugin survive a restart with other workers", "[plugin]") {
  Visits visits(1);
  for (const char* user : {"ann", "bob", "cid", "dan", "eve"}) visits.hit(user, 1);
  visits.node.checkpoint();
  visits.hit("ann", 2);  // not in the checkpoint
  visits.node.restart(3);
  CHECK(visits.node.live_keys() == 5);
  visits.hit("eve", 3);
  visits.watermark(11);
  visits.watermark(60);
  const std::string seen = visits.seen();
  CHECK(has(seen, "ann 1 over"));
  CHECK(has(seen, "eve 2 over"));
  CHECK(visits.node.given("user").size() == 5);
}

TEST_CASE("state that a plugin erased is gone after a restart", "[plugin]") {
  Visits visits;
  visits.hit("ann", 1);
  visits.node.checkpoint();
  CHECK(visits.node.rows.size() == 1);
  visits.watermark(30);
  visits.node.checkpoint();
  CHECK(visits.node.rows.empty());
  CHECK(visits.node.live_keys() == 0);
}

TEST_CASE("a plugin is told when no further key is held", "[plugin]") {
  Visits visits(1, "2");
  for (const char* user : {"ann", "bob", "cid"}) visits.hit(user, 1);
  CHECK(visits.node.live_keys() == 2);
  CHECK(visits.node.out().dropped[DropReason::shed] == 1);
}

TEST_CASE("keys that were quiet for the time of keep are forgotten", "[plugin]") {
  KeyedNode node(subject_registry(), "visits",
                 map_of({{"by", scalar("user")}, {"gap", scalar("2h")}, {"keep", scalar("1h")}}),
                 open_schema({"user"}));
  node.records({strings({"ann"})}, {0});
  node.watermark(std::int64_t{3500} * 1'000'000);
  CHECK(node.live_keys() == 1);
  node.watermark(std::int64_t{5400} * 1'000'000);
  CHECK(node.live_keys() == 0);
  node.watermark(std::int64_t{9000} * 1'000'000);
  CHECK(node.out().batches.empty());
}

TEST_CASE("a record without a key never reaches a plugin", "[plugin]") {
  Visits visits;
  visits.node.records({strings({nullptr, "ann"})}, {1'000'000, 1'000'000});
  REQUIRE(visits.node.out().rejected.size() == 1);
  CHECK(visits.node.out().rejected[0].code == "missing-field");
  visits.node.watermark(EventTime::max().micros);
  CHECK(visits.seen() == "ann 1 over; ");
}

TEST_CASE("damaged state of a plugin is refused", "[plugin]") {
  Visits visits;
  visits.hit("ann", 1);
  visits.node.checkpoint();
  REQUIRE(visits.node.rows.size() == 1);
  visits.node.rows.begin()->second.resize(3);
  CHECK(has(visits.node.restart_error(), "damaged"));
}

}  // namespace
}  // namespace streamd::test
