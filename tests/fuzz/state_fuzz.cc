// SPDX-License-Identifier: Apache-2.0
// Any bytes as the stored state of a window node. The first byte chooses the configuration and
// the number of workers, the rest are rows: group, length of the sub key, length of the value (2
// bytes), then both. A row whose sub key names a key goes to the group that the key belongs to, and
// keys and cells (rows k and p) to the group of the first worker, so that the fuzzer need not guess
// hashes. What can be restored must go on working: more records, checkpoint, end of input; and so
// must one worker with what several have written.
#include "engine/api/registry.h"
#include "engine/core/hash.h"
#include "engine/core/key.h"
#include "operators/window/window.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace streamd;

constexpr std::uint64_t kSeed = 42;

struct Row {
  unsigned group;
  std::string sub_key, value;
};

class StoredRows final : public StateReader {
 public:
  std::vector<Row> rows;
  Status scan(const Visit& visit) override {
    for (const auto& row : rows) STREAMD_TRY(visit(row.group, row.sub_key, row.value));
    return {};
  }
};

class Store final : public StateWriter {
 public:
  std::map<std::pair<unsigned, std::string>, std::string> rows;
  void put(unsigned group, std::string_view sub_key, std::string_view value) override {
    rows.insert_or_assign({group, std::string(sub_key)}, std::string(value));
  }
  void erase(unsigned group, std::string_view sub_key) override {
    rows.erase({group, std::string(sub_key)});
  }
  void erase_range(unsigned, std::string_view, std::string_view) override {}
};

class Nowhere final : public Emitter {
 public:
  void emit(const Batch& batch, Port) override { rows += batch.size(); }
  void drop(DropReason, std::size_t) override {}
  void reject(const Batch&, std::size_t, const Fault&) override {}
  void fail(const Batch&, std::size_t, const Fault&) override {}
  std::size_t rows = 0;
};

ConfigNode scalar(std::string text) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::scalar;
  node.text = std::move(text);
  return node;
}
ConfigNode map_of(std::vector<std::pair<std::string, ConfigNode>> entries) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::map;
  for (auto& [key, value] : entries) node.entries.emplace_back(scalar(key), std::move(value));
  return node;
}

std::unique_ptr<OperatorPlan> make_plan(unsigned which) {
  ConfigNode window = map_of({{"tumbling", scalar("1m")}});
  if (which % 4 == 1) window = map_of({{"sliding", scalar("20s")}, {"every", scalar("4s")}});
  if (which % 4 == 2)
    window = map_of({{"session", map_of({{"gap", scalar("5s")}, {"max", scalar("1m")}})}});
  ConfigNode compute = map_of({{"n", scalar("count()")}});
  if (which / 4 % 2 == 1)
    compute = map_of({{"n", scalar("count()")},
                      {"s", scalar("sum(x)")},
                      {"m", scalar("min(x)")},
                      {"d", scalar("distinct(x)")},
                      {"l", scalar("last(x)")},
                      {"t", scalar("top(x, 3)")},
                      {"q", scalar("quantile(x, 0.5)")}});
  const char* emits[] = {"close", "threshold", "changed", "close"};
  const auto config = map_of({{"window", window},
                              {"by", scalar("k")},
                              {"compute", compute},
                              {"having", scalar("n > 1")},
                              {"emit", scalar(emits[which / 8 % 4])}});
  Registry registry;
  add_window_operator(registry);
  Diagnostics problems;
  auto plan = registry.operators()[0].make(config, {}, problems).plan;
  if (!plan) std::abort();
  Schema in;
  in.fields = {{"k", Type::any, false}, {"x", Type::any, false}};
  plan->bind(in, problems);
  if (problems.errors() > 0) std::abort();
  return plan;
}

Batch some_records(unsigned worker, unsigned workers) {
  auto rows = std::make_shared<streamd::Rows>();
  auto k = std::make_shared<Column>();
  auto x = std::make_shared<Column>();
  for (std::int64_t i = 0; i < 8; ++i) {
    const char* key = i % 2 ? "a" : "b";
    std::string bytes;
    append_key(Value::string(key), bytes);
    if (owner_of(key_group(hash_key(bytes, kSeed)), workers) != worker) continue;
    rows->time.push_back({i * 3'000'000});
    rows->floor.push_back({i % 3 == 0 ? INT64_MIN : i * 3'000'000 - 5'000'000});
    rows->position.push_back(static_cast<std::uint64_t>(i));
    k->push_back(Value::string(key));
    x->push_back(Value::int64(i));
  }
  return Batch(rows, {k, x}, std::make_shared<const Origin>(Origin{"s", "0"}));
}

// The key inside a sub key or at the front of a row's records decides the group.
unsigned group_of(const Row& row) {
  std::string_view key;
  if (!row.sub_key.empty() && (row.sub_key[0] == 'k' || row.sub_key[0] == 'p')) return 0;
  if (!row.sub_key.empty() && (row.sub_key[0] == 'a' || row.sub_key[0] == 's'))
    key = std::string_view(row.sub_key).substr(1);
  else if (row.value.size() > 3)
    key = std::string_view(row.value).substr(
        3, std::min<std::size_t>(static_cast<unsigned char>(row.value[2]), row.value.size() - 3));
  return key_group(hash_key(key, kSeed));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 64 * 1024) return 0;
  std::string_view in(reinterpret_cast<const char*>(data), size);
  const auto plan = make_plan(static_cast<unsigned char>(in[0]));
  in.remove_prefix(1);
  StoredRows stored;
  while (in.size() >= 4) {
    const auto byte = [&](std::size_t i) {
      return static_cast<std::size_t>(static_cast<unsigned char>(in[i]));
    };
    const std::size_t key_size = byte(1);
    const std::size_t value_size = byte(2) | (byte(3) << 8);
    Row row{static_cast<unsigned>(byte(0)), std::string(in.substr(4, key_size)), {}};
    in.remove_prefix(std::min(in.size(), 4 + key_size));
    row.value = in.substr(0, value_size);
    in.remove_prefix(std::min(in.size(), value_size));
    if (row.group < 128) row.group = group_of(row);
    stored.rows.push_back(std::move(row));
  }
  Store store;
  for (const auto& row : stored.rows) store.put(row.group, row.sub_key, row.value);
  stored.rows.clear();
  for (const auto& [at, value] : store.rows) stored.rows.push_back({at.first, at.second, value});
  const unsigned workers = 1 + static_cast<unsigned char>(data[0]) / 32 % 4;
  for (unsigned w = 0; w < workers; ++w) {
    const auto op = plan->make({"node", w, workers, kSeed, nullptr});
    if (!op->restore(stored)) return 0;
    Nowhere out;
    if (!op->on_batch(some_records(w, workers), out)) std::abort();
    if (!op->checkpoint(store)) std::abort();
    // The end of the input closes every window; a window far from now would do so for ever only if
    // the state said so, which costs as many rows as it has windows.
    if (!op->on_watermark({60'000'000}, out)) std::abort();
  }
  if (workers == 1) return 0;
  stored.rows.clear();
  for (const auto& [at, value] : store.rows) stored.rows.push_back({at.first, at.second, value});
  // Counts that were as large as they may be have grown too large: that is refused.
  const auto op = plan->make({"node", 0, 1, kSeed, nullptr});
  Nowhere out;
  if (op->restore(stored) && !op->on_watermark({60'000'000}, out)) std::abort();
  return 0;
}
