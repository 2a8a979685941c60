// SPDX-License-Identifier: Apache-2.0
// What enrich costs a record whose answer is in the cache, with everything that the operator does
// for it, and the cache alone:
//   bench_enrich_cost [keys, 10000 and 100000 by default]
// One line of JSON for each number of keys with one and with three texts.
#include "engine/core/clock.h"
#include "enrich/enrich_operator.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace streamd;
using namespace streamd::enrich;

namespace {

constexpr std::size_t kBatch = 1024, kRecords = 8'000'000;

// Of this thread, so that other load on the machine counts only where it takes the cache.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Answers each question with its key.
class Echo final : public Answerer {
 public:
  Status ask(const Batch&, Questions& questions) override {
    for (Question& question : questions) {
      ++asked;
      question.verdict = Verdict::found;
      for (Value& value : question.values) value = Value::string(question.arena.copy(question.key));
    }
    return {};
  }
  std::size_t asked = 0;
};

class Nowhere final : public Emitter {
 public:
  void emit(const Batch& batch, Port) override { records += batch.size(); }
  void drop(DropReason, std::size_t) override {}
  void reject(const Batch&, std::size_t, const Fault&) override {}
  void fail(const Batch&, std::size_t, const Fault&) override {}
  std::size_t records = 0;
};

std::vector<Batch> batches_of(const std::vector<std::string>& keys, std::mt19937_64& dice) {
  std::vector<Batch> batches;
  for (int b = 0; b < 64; ++b) {
    auto rows = std::make_shared<Rows>();
    rows->time.resize(kBatch);
    rows->floor.resize(kBatch, EventTime::min());
    rows->position.resize(kBatch);
    auto column = std::make_shared<Column>();
    for (std::size_t i = 0; i < kBatch; ++i)
      column->push_back(Value::string(keys[dice() % keys.size()]));
    batches.emplace_back(rows, std::vector<ColumnPtr>{column},
                         std::make_shared<const Origin>(Origin{"bench", "0"}));
  }
  return batches;
}

void measure(std::size_t count, std::size_t fields) {
  std::mt19937_64 dice(7);
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < count; ++i)
    keys.push_back(std::to_string(dice() % 256) + "." + std::to_string(dice() % 256) + "." +
                   std::to_string(i / 256) + "." + std::to_string(i % 256));
  const auto batches = batches_of(keys, dice);

  Shape shape;
  shape.key.columns = {0};
  for (std::size_t f = 0; f < fields; ++f) shape.to.push_back(1 + f);
  shape.columns = 1 + fields;
  shape.cache = static_cast<std::uint32_t>(count);
  shape.ttl = shape.negative_ttl = Duration::from_seconds(3600);
  const SystemClock clock;
  OperatorContext context;
  context.clock = &clock;
  auto echo = std::make_unique<Echo>();
  const Echo& asked = *echo;
  const auto op = make_enrich(shape, context, std::move(echo));
  Nowhere out;
  for (const Batch& batch : batches) (void)op->on_batch(batch, out);
  const std::size_t warm = asked.asked;
  double start = cpu_seconds();
  for (std::size_t done = 0, b = 0; done < kRecords; done += kBatch, ++b)
    (void)op->on_batch(batches[b % batches.size()], out);
  const double whole = (cpu_seconds() - start) * 1e9 / static_cast<double>(kRecords);

  LookupCache cache({shape.cache, shape.ttl, shape.ttl, fields, 1});
  std::vector<Value> values(fields, Value::string("192.0.2.123"));
  for (const auto& key : keys) cache.put(key, {}, values.data());
  auto arena = std::make_unique<Arena>();
  start = cpu_seconds();
  for (std::size_t done = 0, b = 0; done < kRecords; done += kBatch, ++b) {
    arena = std::make_unique<Arena>();
    for (const Value& key : *batches[b % batches.size()].column(0))
      (void)cache.find(key.text(), {}, *arena, values.data());
  }
  const double alone = (cpu_seconds() - start) * 1e9 / static_cast<double>(kRecords);
  std::printf(
      "{\"keys\": %zu, \"texts\": %zu, \"record_ns\": %.1f, \"cache_ns\": %.1f, \"misses\": %zu}\n",
      count, fields, whole, alone, asked.asked - warm);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::size_t> sizes;
  for (int i = 1; i < argc; ++i) sizes.push_back(std::strtoull(argv[i], nullptr, 10));
  if (sizes.empty()) sizes = {10'000, 100'000};
  for (const std::size_t size : sizes)
    for (const std::size_t fields : {1, 3})
      if (size > 0) measure(size, fields);
}
