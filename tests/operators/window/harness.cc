// SPDX-License-Identifier: Apache-2.0
#include "tests/operators/window/harness.h"

#include "engine/core/hash.h"
#include "engine/core/key.h"
#include "operators/window/combiner.h"
#include "operators/window/relay.h"
#include "operators/window/window.h"
#include "tests/support/catch.h"

namespace streamd::test {
namespace {

constexpr std::uint64_t kSeed = 0x1234567;

class Writer final : public StateWriter {
 public:
  Writer(MemoryState& state, unsigned worker, unsigned workers)
      : state_(state), worker_(worker), workers_(workers) {}
  void put(unsigned group, std::string_view sub_key, std::string_view value) override {
    REQUIRE(owner_of(group, workers_) == worker_);
    state_.rows[{group, std::string(sub_key)}] = value;
    state_.written += sub_key.size() + value.size();
  }
  void erase(unsigned group, std::string_view sub_key) override {
    REQUIRE(owner_of(group, workers_) == worker_);
    state_.rows.erase({group, std::string(sub_key)});
  }
  void erase_range(unsigned group, std::string_view from, std::string_view to) override {
    REQUIRE(owner_of(group, workers_) == worker_);
    state_.rows.erase(state_.rows.lower_bound({group, std::string(from)}),
                      state_.rows.lower_bound({group, std::string(to)}));
  }

 private:
  MemoryState& state_;
  unsigned worker_, workers_;
};

class Reader final : public StateReader {
 public:
  explicit Reader(const MemoryState& state) : state_(state) {}
  Status scan(const Visit& visit) override {
    for (const auto& [key, value] : state_.rows) STREAMD_TRY(visit(key.first, key.second, value));
    return {};
  }

 private:
  const MemoryState& state_;
};

Value value_of(const OracleRecord& r) {
  if (!r.x) return r.whole ? Value::null() : Value::missing();
  return r.whole ? Value::int64(static_cast<std::int64_t>(*r.x)) : Value::float64(*r.x);
}

}  // namespace

ConfigNode scalar(std::string text) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::scalar;
  node.text = std::move(text);
  return node;
}
ConfigNode list_of(const std::vector<std::string>& items) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::list;
  for (const auto& item : items) node.items.push_back(scalar(item));
  return node;
}
ConfigNode map_of(std::vector<std::pair<std::string, ConfigNode>> entries) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::map;
  for (auto& [key, value] : entries) node.entries.emplace_back(scalar(key), std::move(value));
  return node;
}

Schema test_schema() {
  Schema schema;
  schema.fields = {{"k", Type::any, false}, {"x", Type::any, false}};
  return schema;
}

Batch test_batch(const std::vector<OracleRecord>& records) {
  auto rows = std::make_shared<Rows>();
  auto arena = std::make_shared<Arena>();
  auto k = std::make_shared<Column>();
  auto x = std::make_shared<Column>();
  for (const auto& r : records) {
    rows->position.push_back(rows->time.size());
    rows->time.push_back({r.time});
    rows->floor.push_back({r.floor});
    k->push_back(Value::string(arena->copy(r.key)));
    x->push_back(value_of(r));
  }
  Batch batch(rows, {k, x}, std::make_shared<const Origin>(Origin{"source", "0"}));
  batch.keep(arena);
  return batch;
}

std::unique_ptr<OperatorPlan> make_plan(const ConfigNode& config, Diagnostics& problems) {
  Registry registry;
  add_window_operator(registry);
  return registry.operators()[0].make(config, {}, problems).plan;
}

std::unique_ptr<OperatorPlan> bound_plan(const ConfigNode& config) {
  Diagnostics problems;
  auto plan = make_plan(config, problems);
  for (const auto& p : problems.all()) UNSCOPED_INFO(p.message);
  REQUIRE(plan);
  plan->bind(test_schema(), problems);
  for (const auto& p : problems.all()) UNSCOPED_INFO(p.message);
  REQUIRE(problems.errors() == 0);
  return plan;
}

std::string show_value(const Value& value) {
  switch (value.kind()) {
    case Kind::missing: return "missing";
    case Kind::null: return "null";
    case Kind::boolean: return value.as_bool() ? "true" : "false";
    case Kind::int64: return std::to_string(value.as_int());
    case Kind::float64: return show(value.as_double());
    case Kind::timestamp: return std::to_string(value.as_time().micros);
    default: return std::string(value.text());
  }
}

void Kept::emit(const Batch& batch, Port port) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (port == Port::late) {
      lateness.push_back(batch.at(batch.column_count() - 1, i).as_duration_nanos() / 1000);
      continue;
    }
    largest = std::max(largest, batch.size());
    ids.push_back(batch.position(i));
    OracleRow row;
    std::string line, key, start, end, values;
    for (std::size_t c = 0; c < schema.fields.size(); ++c) {
      const std::string& name = schema.fields[c].name;
      const Value& value = batch.at(c, i);
      const std::string text = show_value(value);
      line += (c ? " " : "") + name + "=" + text;
      if (name == "k")
        key = text;
      else if (name == "window_start")
        start = text;
      else if (name == "window_end")
        end = text;
      else if (name == "h" && !value.absent())
        values += " h=" + show(nanos(value.as_double()));
      else if (name == "q")
        row.quantile = value.absent() ? std::nullopt : std::optional(value.as_double());
      else
        values += " " + name + "=" + text;
    }
    row.exact =
        key + " [" + start + "," + end + ") @" + std::to_string(batch.time(i).micros) + values;
    rows.push_back(std::move(row));
    lines.push_back(std::move(line));
  }
}
void Kept::drop(DropReason reason, std::size_t n) {
  dropped[std::string(kDropReasonNames[static_cast<std::size_t>(reason)])] += n;
}
void Kept::reject(const Batch&, std::size_t, const Fault& fault) {
  rejected.emplace_back(fault.code);
}

void Kept::fail(const Batch& batch, std::size_t i, const Fault& fault) {
  REQUIRE(i < batch.size());
  CHECK(batch.origin().node == "node");
  failed.emplace_back(fault.code);
}

Node::Node(const ConfigNode& config, unsigned workers) : plan(bound_plan(config)) {
  Diagnostics problems;
  out.schema = plan->bind(test_schema(), problems).out;
  start(workers);
}

void Node::start(unsigned workers) {
  workers_.clear();
  for (unsigned w = 0; w < workers; ++w)
    workers_.push_back(plan->make({"node", w, workers, kSeed, nullptr}));
}

unsigned Node::owner(const OracleRecord& record) const {
  std::string key;
  if (!plan->key_fields().empty()) append_key(Value::string(record.key), key);
  return owner_of(key_group(hash_key(key, kSeed)), static_cast<unsigned>(workers_.size()));
}

void Node::combined(const std::vector<OracleRecord>& records) {
  const std::size_t n = workers_.size();
  std::vector<std::vector<OracleRecord>> came(n), shares(n);
  for (std::size_t i = 0; i < records.size(); ++i) came[i % n].push_back(records[i]);
  for (std::size_t from = 0; from < n; ++from) {
    if (came[from].empty()) continue;
    REQUIRE(workers_[from]->combines());
    Summaries sums(n);
    const Batch batch = test_batch(came[from]);
    const Batch rest = workers_[from]->combine(batch, {told_}, &sums, out);
    for (std::size_t to = 0; to < n; ++to) {
      if (!sums[to]) continue;
      if (const auto* const of = dynamic_cast<const window::Sums*>(sums[to].get()))
        for (const auto& row : of->rows) summed += row.records;
      if (const auto* const of = dynamic_cast<const window::Relayed*>(sums[to].get()))
        relayed += of->records.size();
      REQUIRE(workers_[to]->on_summary(*sums[to], out));
    }
    for (std::size_t i = 0; i < rest.size(); ++i) {
      const OracleRecord& left = came[from][rest.physical(i)];
      shares[owner(left)].push_back(left);
    }
  }
  for (std::size_t w = 0; w < n; ++w)
    if (!shares[w].empty()) REQUIRE(workers_[w]->on_batch(test_batch(shares[w]), out));
}

void Node::records(const std::vector<OracleRecord>& records) {
  const auto n = static_cast<unsigned>(workers_.size());
  std::vector<std::vector<OracleRecord>> shares(n);
  for (const auto& r : records) shares[owner(r)].push_back(r);
  for (unsigned w = 0; w < n; ++w)
    if (!shares[w].empty()) REQUIRE(workers_[w]->on_batch(test_batch(shares[w]), out));
}

void Node::watermark(std::int64_t w) {
  told_ = std::max(told_, w);
  for (auto& worker : workers_) REQUIRE(worker->on_watermark({w}, out));
}

void Node::watermark(std::int64_t w, unsigned worker) {
  told_ = std::max(told_, w);
  REQUIRE(workers_[worker]->on_watermark({w}, out));
}

void Node::checkpoint() {
  const auto workers = static_cast<unsigned>(workers_.size());
  for (unsigned w = 0; w < workers; ++w) {
    Writer writer(state, w, workers);
    REQUIRE(workers_[w]->checkpoint(writer));
  }
}

void Node::restart(unsigned workers) {
  told_ = INT64_MIN;
  start(workers);
  for (unsigned w = 0; w < workers; ++w) {
    Reader reader(state);
    const Status restored = workers_[w]->restore(reader);
    if (!restored) UNSCOPED_INFO(restored.error().message);
    REQUIRE(restored);
  }
}

std::size_t Node::live_keys() const {
  std::size_t n = 0;
  for (const auto& worker : workers_) n += worker->live_keys();
  return n;
}

}  // namespace streamd::test
