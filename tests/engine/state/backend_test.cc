// SPDX-License-Identifier: Apache-2.0
// One contract, every backend.
#include "engine/state/backend.h"

#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

#include <map>
#include <random>

using namespace streamd;

namespace {

std::map<std::string, std::string> rows_of(StateBackend& backend, const std::string& from,
                                           const std::string& to) {
  std::map<std::string, std::string> rows;
  std::string last;
  const auto status = backend.scan(from, to, [&](std::string_view k, std::string_view v) -> Status {
    CHECK((rows.empty() || last < k));
    last = std::string(k);
    rows[last] = std::string(v);
    return {};
  });
  REQUIRE(status);
  return rows;
}

void check_contract(StateBackend& backend) {
  ChangeSet first;
  first.put("a", "1");
  first.put("b", "2");
  first.put(std::string("b\0x", 3), std::string("\0\xff", 2));
  first.put("c", "3");
  first.hand_over("d", std::string(5000, 'x'));
  REQUIRE(backend.write(first));
  CHECK(*backend.get("d") == std::string(5000, 'x'));
  CHECK(*backend.get("b") == "2");
  CHECK_FALSE(backend.get("missing")->has_value());
  CHECK(rows_of(backend, "a", "c").size() == 3);

  ChangeSet second;  // in order: the put after the range stays
  second.erase_range("b", "c");
  second.put("b", "new");
  second.erase("a");
  second.hand_over("d", "large");
  second.erase("d");
  REQUIRE(backend.write(second));
  CHECK(rows_of(backend, "", "\xff") ==
        std::map<std::string, std::string>{{"b", "new"}, {"c", "3"}});

  const auto stopped = backend.scan("", "\xff", [](std::string_view, std::string_view) -> Status {
    return fail(ErrorKind::state, "stop here");
  });
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().message == "stop here");
}

// Random batches against a plain map.
void check_random(StateBackend& backend, unsigned seed) {
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::map<std::string, std::string> model;
  const auto key = [&] { return "k" + std::to_string(random() % 50); };
  for (int round = 0; round < 40; ++round) {
    ChangeSet changes;
    for (int i = 0; i < 10; ++i) {
      const std::string a = key(), b = key();
      switch (random() % 3) {
        case 0:
          changes.put(a, b);
          model[a] = b;
          break;
        case 1:
          changes.erase(a);
          model.erase(a);
          break;
        default:
          if (a >= b) break;
          changes.erase_range(a, b);
          model.erase(model.lower_bound(a), model.lower_bound(b));
      }
    }
    REQUIRE(backend.write(changes));
  }
  CHECK(rows_of(backend, "", "\xff") == model);
}

}  // namespace

TEST_CASE("the memory backend keeps the contract", "[state]") {
  check_contract(*make_memory_backend());
  check_random(*make_memory_backend(), 1);
}

TEST_CASE("the RocksDB backend keeps the contract and its rows over a restart", "[state]") {
  const test::TempDir dir;
  {
    auto backend = open_rocksdb_backend(dir / "db");
    REQUIRE(backend);
    check_contract(**backend);
  }
  auto again = open_rocksdb_backend(dir / "db");
  REQUIRE(again);
  CHECK(**(*again)->get("b") == "new");
  auto other = open_rocksdb_backend(dir / "other");
  REQUIRE(other);
  check_random(**other, 2);
}

TEST_CASE("a change set goes on with what is appended, in order", "[state]") {
  ChangeSet all, more;
  all.append({});
  CHECK(all.empty());
  more.hand_over("large", "1");
  more.put("small", "2");
  all.append(more);
  all.erase("large");
  all.append(std::move(more));
  CHECK(all.size() == 5);
  CHECK(all.bytes() == 3 * 5 + 2 * 5 + 4);
  std::string told;
  all.each([&](ChangeSet::Kind kind, std::string_view a, std::string_view b) {
    told += kind == ChangeSet::Kind::put ? "put " : "erase ";
    told.append(a).append(" ").append(b).append("\n");
  });
  CHECK(told == "put large 1\nput small 2\nerase large \nput large 1\nput small 2\n");
}

TEST_CASE("a change set survives encoding and refuses anything else", "[state]") {
  ChangeSet changes;
  changes.put("key", "value");
  changes.hand_over("gone", "large");
  changes.erase("gone");
  changes.erase_range("a", "b");
  const std::string bytes = changes.encode();
  ChangeSet back;
  REQUIRE(ChangeSet::decode(bytes, back));
  CHECK(back.encode() == bytes);
  CHECK(back.size() == 4);
  std::size_t refused = 0;
  for (std::size_t cut = 1; cut < bytes.size(); ++cut)
    if (!ChangeSet::decode(bytes.substr(0, cut), back)) ++refused;
  CHECK(refused >= bytes.size() - 4);  // cuts between operations are change sets of their own
}
