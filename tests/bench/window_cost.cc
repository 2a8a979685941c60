// SPDX-License-Identifier: Apache-2.0
// bench_window_cost KEYS zipf|uniform SIZE EVERY RECORDS MAX_DELAY: the window operator alone, fed
// with batches of ready keys, 500,000 records per second of event time, a watermark after each that
// is so many seconds behind, a checkpoint after every 500,000. Prints one line of JSON: CPU per
// record, memory per live key, and how long the calls took that a record would have to wait for,
// beside the pauses that the machine makes by itself.
#include "engine/api/operator.h"
#include "engine/api/registry.h"
#include "engine/core/arena.h"
#include "operators/window/window.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <vector>

using namespace streamd;

namespace {

constexpr std::size_t kBatch = 1024;
constexpr std::int64_t kPerSecond = 500'000;

ConfigNode scalar(std::string text) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::scalar;
  node.text = std::move(text);
  return node;
}
ConfigNode map_of(std::vector<std::pair<std::string, ConfigNode>> entries) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::map;
  for (auto& [name, value] : entries) node.entries.emplace_back(scalar(name), std::move(value));
  return node;
}
ConfigNode list_of(std::string item) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::list;
  node.items.push_back(scalar(std::move(item)));
  return node;
}

class Counted final : public Emitter {
 public:
  void emit(const Batch& batch, Port) override { results += batch.size(); }
  void drop(DropReason, std::size_t records) override { lost += records; }
  void reject(const Batch&, std::size_t, const Fault&) override { ++lost; }
  void fail(const Batch&, std::size_t, const Fault&) override { ++lost; }
  std::uint64_t results = 0, lost = 0;
};

// Takes what a checkpoint hands over, as the store does: copies it.
class Copied final : public StateWriter {
 public:
  void put(unsigned, std::string_view key, std::string_view value) override {
    log_.append(key).append(value);
  }
  void erase(unsigned, std::string_view key) override { log_.append(key); }
  void erase_range(unsigned, std::string_view from, std::string_view to) override {
    log_.append(from).append(to);
  }
  void clear() { log_.clear(); }

 private:
  std::string log_;
};

// Numbers below n; zipf: like the number of requests of clients, exponent 1.
class Keys {
 public:
  Keys(std::uint32_t n, bool zipf) : n_(n), zipf_(zipf) {}
  std::uint32_t next() {
    if (!zipf_) return static_cast<std::uint32_t>(random_() % n_);
    // Inverse of the continuous law; rank 1 is the most frequent.
    const double u = std::uniform_real_distribution<double>(0, 1)(random_);
    const auto rank = static_cast<std::uint64_t>(std::exp(u * std::log(n_ + 1.0)));
    // Ranks lie scattered, as they do in life.
    return static_cast<std::uint32_t>((rank - 1) * 2'654'435'761u % n_);
  }

 private:
  std::uint32_t n_;
  bool zipf_;
  std::mt19937_64 random_{1};
};

Batch next_batch(Keys& keys, std::int64_t& sent) {
  auto rows = std::make_shared<Rows>();
  auto arena = std::make_shared<Arena>();
  auto column = std::make_shared<Column>();
  char text[20];
  for (std::size_t i = 0; i < kBatch; ++i) {
    const std::uint32_t key = keys.next();
    const int size = std::snprintf(text, sizeof text, "%u.%u.%u.%u", 11 + (key >> 24),
                                   key >> 16 & 255, key >> 8 & 255, key & 255);
    column->push_back(Value::string(arena->copy({text, static_cast<std::size_t>(size)})));
    rows->position.push_back(static_cast<std::uint64_t>(sent));
    rows->time.push_back({sent++ * 1'000'000 / kPerSecond});
    rows->floor.push_back(EventTime::min());
  }
  Batch batch(rows, {column}, std::make_shared<const Origin>(Origin{"bench", "0"}));
  batch.keep(arena);
  return batch;
}

double cpu_now() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}
double wall_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
double rss_bytes() {
  long pages = 0, resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr || std::fscanf(file, "%ld %ld", &pages, &resident) != 2) std::abort();
  std::fclose(file);
  return static_cast<double>(resident) * 4096;
}

// What the calls cost, added up, and each call's length.
struct Clocked {
  double cpu = 0;
  std::vector<double> pauses;  // seconds
  template <class Call>
  void operator()(Call&& call) {
    const double wall = wall_now(), before = cpu_now();
    call();
    cpu += cpu_now() - before;
    pauses.push_back(wall_now() - wall);
  }
};

double quantile(std::vector<double>& values, double q) {
  if (values.empty()) return 0;
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

// The gaps that a loop which does nothing sees between two looks at the clock, one for each
// `calls`.
std::vector<double> gaps_of_the_machine(double seconds, std::size_t calls) {
  std::vector<double> gaps;
  const double end = wall_now() + seconds;
  const double slot = seconds / static_cast<double>(calls);
  for (double last = wall_now(); last < end;) {
    double longest = 0;
    for (const double until = last + slot; last < until;) {
      const double now = wall_now();
      longest = std::max(longest, now - last);
      last = now;
    }
    gaps.push_back(longest);
  }
  return gaps;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fputs("usage: bench_window_cost KEYS zipf|uniform SIZE EVERY RECORDS MAX_DELAY\n", stderr);
    return 2;
  }
  Keys keys(static_cast<std::uint32_t>(std::strtoul(argv[1], nullptr, 10)),
            std::string_view(argv[2]) == "zipf");
  const std::int64_t records = std::strtoll(argv[5], nullptr, 10);
  const auto delay = static_cast<std::int64_t>(1e6 * std::strtod(argv[6], nullptr));
  Registry registry;
  add_window_operator(registry);
  Diagnostics problems;
  const ConfigNode config =
      map_of({{"window", map_of({{"sliding", scalar(argv[3])}, {"every", scalar(argv[4])}})},
              {"by", list_of("k")},
              {"compute", map_of({{"n", scalar("count()")}})},
              {"max_keys", scalar("100000000")},
              {"having", scalar("n > 1000000")}});
  auto plan = registry.operators()[0].make(config, {}, problems).plan;
  Schema schema;
  schema.fields.push_back({"k", Type::string, true});
  if (plan) plan->bind(schema, problems);
  if (problems.errors() > 0) {
    std::fprintf(stderr, "%s\n", problems.all()[0].message.c_str());
    return 1;
  }
  auto window = plan->make({"bench", 0, 1, 42, nullptr});
  Counted out;
  Copied state;
  Clocked records_in, boundaries, checkpoints;
  const double empty = rss_bytes();
  std::int64_t sent = 0, second = 0, closed = -delay / 1'000'000;
  bool good = true;
  while (sent < records && good) {
    const Batch batch = next_batch(keys, sent);
    const EventTime watermark{sent * 1'000'000 / kPerSecond - delay};
    const auto advance = [&] { good = window->on_watermark(watermark, out).has_value() && good; };
    const bool closes = watermark.micros / 1'000'000 != closed;
    records_in([&] {
      good = window->on_batch(batch, out).has_value();
      if (!closes) advance();
    });
    if (closes) boundaries(advance);
    closed = watermark.micros / 1'000'000;
    if (sent / kPerSecond == second) continue;
    second = sent / kPerSecond;
    checkpoints([&] { good = window->checkpoint(state).has_value() && good; });
    state.clear();
  }
  if (!good || out.lost > 0) {
    std::fprintf(stderr, "the window failed, or lost %lu records\n", out.lost);
    return 1;
  }
  const auto live = static_cast<double>(window->live_keys());
  const double bytes = (rss_bytes() - empty) / std::max(1.0, live);
  std::vector<double> all = records_in.pauses;
  for (const auto* more : {&boundaries.pauses, &checkpoints.pauses})
    all.insert(all.end(), more->begin(), more->end());
  double length = 0;
  for (const double pause : all) length += pause;
  auto gaps = gaps_of_the_machine(std::min(length, 5.0), all.size());
  std::printf(
      "{\"ns\": %.2f, \"checkpoint_ns\": %.2f, \"live\": %.0f, \"bytes_per_key\": %.1f, "
      "\"records_us\": [%.0f, %.0f], \"boundary_us\": [%.0f, %.0f], \"checkpoint_us\": [%.0f, "
      "%.0f], "
      "\"pause_us\": [%.0f, %.0f], \"machine_us\": [%.0f, %.0f]}\n",
      (records_in.cpu + boundaries.cpu) * 1e9 / static_cast<double>(sent),
      checkpoints.cpu * 1e9 / static_cast<double>(sent), live, bytes,
      1e6 * quantile(records_in.pauses, 0.5), 1e6 * quantile(records_in.pauses, 1),
      1e6 * quantile(boundaries.pauses, 0.5), 1e6 * quantile(boundaries.pauses, 1),
      1e6 * quantile(checkpoints.pauses, 0.5), 1e6 * quantile(checkpoints.pauses, 1),
      1e6 * quantile(all, 0.999), 1e6 * quantile(all, 1), 1e6 * quantile(gaps, 0.999),
      1e6 * quantile(gaps, 1));
  return 0;
}
