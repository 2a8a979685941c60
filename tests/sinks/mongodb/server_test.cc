// SPDX-License-Identifier: Apache-2.0
#include "sinks/mongodb/server.h"

#include "tests/contract/sink_contract.h"

#include <chrono>
#include <thread>

namespace streamd::mongodb {
namespace {

using delivery::Answer;
using delivery::Item;
using delivery::Verdict;
using mongo::Failure;
using mongo::Write;

// What a server holds, and what it shall say; several clients may share it.
struct Store {
  std::mutex mutex;
  std::map<std::string, std::map<std::string, std::string>> collections;  // id: BSON
  std::vector<std::string> order;                                         // ids as they came
  std::vector<std::string> calls;
  std::optional<Failure> on_write, on_index, on_present;
  std::vector<mongo::WriteError> errors;  // of every write

  std::size_t documents() {
    const std::lock_guard lock(mutex);
    return order.size();
  }
};

class FakeClient final : public mongo::Client {
 public:
  explicit FakeClient(Store& store) : store_(store) {}

  mongo::Outcome write(const mongo::Collection& to, Write how,
                       std::span<const mongo::Document> documents, std::stop_token) override {
    const std::lock_guard lock(store_.mutex);
    store_.calls.push_back("write " + std::string(to.name) + " " +
                           std::to_string(documents.size()));
    mongo::Outcome outcome;
    outcome.failure = store_.on_write;
    if (outcome.failure) return outcome;
    outcome.errors = store_.errors;
    auto& collection = store_.collections[std::string(to.name)];
    for (std::size_t i = 0; i < documents.size(); ++i) {
      const std::string id(documents[i].id);
      const bool fails = std::any_of(outcome.errors.begin(), outcome.errors.end(),
                                     [i](const auto& error) { return error.index == i; });
      if (fails) continue;
      if (how == Write::insert && collection.contains(id)) {
        outcome.errors.push_back({i, kDuplicate, "E11000 duplicate key error", ""});
        continue;
      }
      if (collection.insert_or_assign(id, std::string(documents[i].bson)).second)
        store_.order.push_back(id);
    }
    outcome.written = documents.size() - outcome.errors.size();
    return outcome;
  }
  tl::expected<std::set<std::string, std::less<>>, Failure> present(
      const mongo::Collection& in, std::span<const std::string_view> ids,
      std::stop_token) override {
    const std::lock_guard lock(store_.mutex);
    store_.calls.push_back("present " + std::to_string(ids.size()));
    if (store_.on_present) return tl::unexpected(*store_.on_present);
    std::set<std::string, std::less<>> found;
    for (const auto id : ids)
      if (store_.collections[std::string(in.name)].contains(std::string(id))) found.emplace(id);
    return found;
  }
  std::optional<Failure> create_index(const mongo::Collection& on, const mongo::Index& index,
                                      std::stop_token) override {
    const std::lock_guard lock(store_.mutex);
    store_.calls.push_back("index " + std::string(on.name) + " " + index.keys[0].first);
    return store_.on_index;
  }

  static constexpr int kDuplicate = 11000;

 private:
  Store& store_;
};

struct Fixture {
  explicit Fixture(Mode mode = Mode::insert, std::vector<mongo::Index> indexes = {}) {
    Diagnostics problems;
    TemplateText name;
    name.text = "c";
    auto collection = DatedName::parse(name, "a collection", problems);
    REQUIRE(collection);
    Schema schema;
    schema.fields = {{"a", Type::any}};
    REQUIRE(collection->bind(schema, problems));
    shape = std::make_shared<const Shape>(Shape{*collection,
                                                {},
                                                std::make_shared<const JsonEncoder>(schema),
                                                {},
                                                mode,
                                                "d",
                                                std::move(indexes)});
  }
  std::unique_ptr<Server> server() {
    return std::make_unique<Server>(shape, std::make_unique<FakeClient>(store), "p",
                                    [this](int level, const std::string& text) {
                                      log.push_back(std::to_string(level) + " " + text);
                                    });
  }
  std::shared_ptr<const Shape> shape;
  Store store;
  std::vector<std::string> log;
};

Item item(std::string_view id, std::string_view document, std::string_view route = "c") {
  Item made;
  made.id = id;
  made.document = document;
  made.route = route;
  return made;
}

std::vector<Verdict::Kind> kinds(const Answer& answer) {
  REQUIRE(answer.kind == Answer::Kind::each);
  std::vector<Verdict::Kind> out;
  for (const auto& verdict : answer.items) out.push_back(verdict.kind);
  return out;
}

constexpr auto kDone = Verdict::Kind::done;
constexpr auto kRefused = Verdict::Kind::refused;

TEST_CASE("Documents go to their collections, each in one request") {
  Fixture f;
  const std::vector<Item> items{item("1", "{}", "a"), item("2", "{}", "b"), item("3", "{}", "a")};
  CHECK(kinds(f.server()->send(items, {})) == std::vector{kDone, kDone, kDone});
  CHECK(f.store.calls == std::vector<std::string>{"write a 2", "write b 1"});
}

TEST_CASE("What is no document is refused, and the others go") {
  Fixture f;
  const std::vector<Item> items{item("1", "{}"), item("2", "{\"a\":"), item("3", "{}")};
  const Answer answer = f.server()->send(items, {});
  CHECK(kinds(answer) == std::vector{kDone, kRefused, kDone});
  CHECK(answer.items[1].code == "bad-json");
  CHECK(f.store.order == std::vector<std::string>{"1", "3"});
}

TEST_CASE("Nothing is asked of the server when nothing is a document") {
  Fixture f;
  const std::vector<Item> items{item("1", "x")};
  CHECK(kinds(f.server()->send(items, {})) == std::vector{kRefused});
  CHECK(f.store.calls.empty());
}

TEST_CASE("What was stored by an earlier try is done, whatever the server calls it") {
  Fixture f;
  const std::vector<Item> items{item("1", "{}"), item("2", "{}")};
  CHECK(kinds(f.server()->send({items.data(), 1}, {})) == std::vector{kDone});
  CHECK(kinds(f.server()->send(items, {})) == std::vector{kDone, kDone});
  CHECK(f.store.calls.back() == "present 1");
  // Another unique index, and no such document.
  f.store.errors = {{0, FakeClient::kDuplicate, "E11000", ""}};
  const std::vector<Item> other{item("3", "{}")};
  CHECK(kinds(f.server()->send(other, {})) == std::vector{kRefused});
  // Nobody can tell now.
  f.store.on_present = Failure{Failure::From::network, 0, "gone"};
  CHECK(f.server()->send(other, {}).kind == Answer::Kind::again);
  f.store.on_present = Failure{Failure::From::server, 2, "odd"};
  CHECK(f.server()->send(other, {}).kind == Answer::Kind::blocked);
}

TEST_CASE("Of documents that replace each other only the newest goes, and speaks for the older") {
  Fixture f(Mode::upsert);
  const std::vector<Item> items{item("1", R"({"v":"old"})"), item("2", "{}"),
                                item("1", R"({"v":"new"})"), item("1", "broken")};
  CHECK(kinds(f.server()->send(items, {})) == std::vector{kDone, kDone, kDone, kRefused});
  CHECK(f.store.calls == std::vector<std::string>{"write c 2"});
  CHECK(f.store.collections["c"]["1"].find("new") != std::string::npos);
  // The order in the request is that of what goes.
  CHECK(f.store.order == std::vector<std::string>{"2", "1"});
  f.store.errors = {{1, 121, "failed validation", ""}};
  CHECK(kinds(f.server()->send(items, {})) == std::vector{kRefused, kDone, kRefused, kRefused});
}

TEST_CASE("Indexes are made once for each collection, before its first document") {
  Fixture f(Mode::insert, {{{{"a", "1"}}, false, {}, ""}, {{{"b", "1"}}, true, {}, ""}});
  auto server = f.server();
  const std::vector<Item> items{item("1", "{}", "x"), item("2", "{}", "y")};
  static_cast<void>(server->send(items, {}));
  static_cast<void>(server->send(items, {}));
  CHECK(f.store.calls ==
        std::vector<std::string>{"index x a", "index x b", "write x 1", "index y a", "index y b",
                                 "write y 1", "write x 1", "present 1", "write y 1", "present 1"});
}

TEST_CASE("An index that the server does not know is told once; one that it refuses holds all") {
  Fixture f(Mode::insert, {{{{"at", "1"}}, false, 60, ""}});
  const std::vector<Item> items{item("1", "{}", "x"), item("2", "{}", "y")};
  auto server = f.server();
  SECTION("not known") {
    f.store.on_index = Failure{Failure::From::server, 238, "not yet"};
    CHECK(kinds(server->send(items, {})) == std::vector{kDone, kDone});
    REQUIRE(f.log.size() == 1);
    CHECK(f.log[0].starts_with("1 the server has no index like {at: 1}: not yet"));
    CHECK(f.log[0].find("nothing is deleted") != std::string::npos);
  }
  SECTION("refused") {
    f.store.on_index = Failure{Failure::From::server, 85, "exists with other options"};
    const Answer answer = server->send(items, {});
    CHECK(answer.kind == Answer::Kind::blocked);
    CHECK(answer.message.find("exists with other options") != std::string::npos);
    CHECK(f.store.documents() == 0);
    f.store.on_index.reset();
    CHECK(kinds(server->send(items, {})) == std::vector{kDone, kDone});
  }
  SECTION("no answer") {
    f.store.on_index = Failure{Failure::From::network, 0, "gone"};
    CHECK(server->send(items, {}).kind == Answer::Kind::again);
  }
}

TEST_CASE("A failure of one collection's request makes all go again") {
  Fixture f;
  f.store.on_write = Failure{Failure::From::network, 0, "cut"};
  const std::vector<Item> items{item("1", "{}", "x"), item("2", "{}", "y")};
  CHECK(f.server()->send(items, {}).kind == Answer::Kind::again);
}

TEST_CASE("The sink does what every sink must") {
  Fixture f;
  test::TempDir dir;
  ManualClock clock;
  std::size_t expected = 0;
  test::SinkUnderTest subject;
  subject.open = [&](const std::string& restored) {
    SinkContext context;
    context.node = "out";
    context.pipeline = "p";
    context.state_dir = dir.path();
    context.clock = &clock;
    context.restored = restored;
    context.log = [](int, const std::string&) {};
    delivery::DeliveryOptions options;
    options.linger = {};
    auto sink = delivery::open_sink(std::move(context), {}, options, f.server());
    REQUIRE(sink);
    return std::move(*sink);
  };
  subject.far_side = [&] {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (f.store.documents() < expected) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const std::lock_guard lock(f.store.mutex);
    std::string all;
    for (const auto& id : f.store.order) all += id + "\n";
    return all;
  };
  subject.batch = [&](int n) {
    expected += 2;
    Batch batch = test::batch_of({Column{Value::int64(n), Value::int64(n + 100)}});
    return batch.with_origin(std::make_shared<const Origin>(Origin{"test", std::to_string(n)}));
  };
  test::check_sink(subject);
  CHECK(f.store.documents() == 6);
}

}  // namespace
}  // namespace streamd::mongodb
