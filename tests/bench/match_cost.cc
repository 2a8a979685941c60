// SPDX-License-Identifier: Apache-2.0
// What a look-up in an indicator list costs, in blocks as operators ask and alone; how long a list
// takes to build, its memory, the pause of a swap, and what the machine can do at best:
//   bench_match_cost [entries, 100000, 1000000 and 5000000 by default]
// Random networks (/20 to /32), v6 networks and domains. "uniform": every question is another one,
// half of them on the list; "hot": the same 50000 again and again; "any": IPv4 addresses by chance,
// as those of strangers are.
#include "engine/match/indicator_list.h"
#include "engine/match/list_slot.h"
#include "operators/builtin_operators.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace streamd;

namespace {

constexpr std::size_t kAsked = std::size_t{1} << 21, kHot = 50'000;

// Of this thread, so that other load on the machine counts only where it takes the cache.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}
double seconds_since(double start) { return cpu_seconds() - start; }

std::string v4_text(std::uint32_t a) {
  char text[16];
  std::snprintf(text, sizeof text, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
  return text;
}

struct Subject {
  const char* name;
  std::vector<std::string> entries;
  std::vector<std::string> asked;
};

Subject networks(std::size_t count, std::mt19937_64& dice) {
  Subject s{"IPv4 networks", {}, {}};
  std::vector<std::uint32_t> firsts;
  for (std::size_t i = 0; i < count; ++i) {
    firsts.push_back(static_cast<std::uint32_t>(dice()));
    s.entries.push_back(v4_text(firsts.back()) + "/" +
                        std::to_string(dice() % 2 == 0 ? 32 : 20 + dice() % 13));
  }
  for (std::size_t i = 0; i < kAsked; ++i)
    s.asked.push_back(
        v4_text(i % 2 == 0 ? firsts[dice() % count] : static_cast<std::uint32_t>(dice())));
  return s;
}

Subject v6_networks(std::size_t count, std::mt19937_64& dice) {
  Subject s{"IPv6 networks", {}, {}};
  const auto address = [&] {
    char text[40];
    std::snprintf(text, sizeof text, "2%03x:%x:%x:%x::%x", static_cast<unsigned>(dice() & 0xFFF),
                  static_cast<unsigned>(dice() & 0xFFFF), static_cast<unsigned>(dice() & 0xFFFF),
                  static_cast<unsigned>(dice() & 0xFFFF), static_cast<unsigned>(dice() & 0xFFFF));
    return std::string(text);
  };
  std::vector<std::string> firsts;
  for (std::size_t i = 0; i < count; ++i) {
    firsts.push_back(address());
    s.entries.push_back(firsts.back() + "/" + std::to_string(32 + dice() % 97));
  }
  for (std::size_t i = 0; i < kAsked; ++i)
    s.asked.push_back(i % 2 == 0 ? firsts[dice() % count] : address());
  return s;
}

Subject domains(std::size_t count, std::mt19937_64& dice) {
  Subject s{"domains", {}, {}};
  const auto domain = [&] {
    std::string text;
    for (int i = 0; i < 10; ++i) text += static_cast<char>('a' + dice() % 26);
    return text + ".example";
  };
  for (std::size_t i = 0; i < count; ++i) s.entries.push_back(domain());
  for (std::size_t i = 0; i < kAsked; ++i)
    s.asked.push_back("www." + (i % 2 == 0 ? s.entries[dice() % count] : domain()));
  return s;
}

// ask(i, count): how many of the questions from i on are found. The best of three passes.
template <class Ask>
double nanos_of(std::size_t questions, Ask ask) {
  double best = 1e9;
  for (int pass = 0; pass < 3; ++pass) {
    const double start = cpu_seconds();
    std::size_t found = 0, done = 0;
    while (done < kAsked)
      for (std::size_t i = 0; i + kLookupBlock <= questions;
           i += kLookupBlock, done += kLookupBlock)
        found += ask(i);
    best = std::min(best, seconds_since(start) * 1e9 / static_cast<double>(done));
    if (found == 0) std::printf("nothing was found\n");
  }
  return best;
}

std::size_t found_in(const std::uint32_t* hits) {
  std::size_t found = 0;
  for (std::size_t k = 0; k < kLookupBlock; ++k) found += hits[k] != 0;
  return found;
}

// Reads of cache lines in as much memory as the list takes, a block of independent ones together:
// what a look-up costs at least for each line that it needs.
void limit(std::size_t bytes) {
  LargeArray<std::uint64_t> memory(std::max<std::size_t>(bytes / 8, 4096));
  std::mt19937_64 dice(5);
  std::vector<std::uint32_t> places(kAsked);
  for (auto& place : places) place = static_cast<std::uint32_t>(dice() % memory.size()) & ~1u;
  for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = i | 1;
  const double together = nanos_of(kAsked, [&](std::size_t i) {
    std::uint64_t sum = 0;
    for (std::size_t k = 0; k < kLookupBlock; ++k) __builtin_prefetch(&memory[places[i + k]]);
    for (std::size_t k = 0; k < kLookupBlock; ++k) sum += memory[places[i + k]];
    return sum;
  });
  std::uint64_t at = 0;
  const double alone = nanos_of(kAsked, [&](std::size_t i) {
    // Each place hangs on what stood at the one before.
    for (std::size_t k = 0; k < kLookupBlock; ++k) at = memory[places[i + k] ^ (at & 1)] & 2;
    return at + 1;
  });
  std::printf("%43s a line of %zu MiB: %.1f ns in a block, %.1f ns one after the other\n",
              "limit:", bytes >> 20, together, alone);
}

ConfigNode scalar(const char* text) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::scalar;
  node.text = text;
  return node;
}

class Counter final : public Emitter {
 public:
  void emit(const Batch& batch, Port) override { emitted += batch.size(); }
  void drop(DropReason, std::size_t) override {}
  void reject(const Batch&, std::size_t, const Fault&) override {}
  void fail(const Batch&, std::size_t, const Fault&) override {}
  std::size_t emitted = 0;
};

constexpr std::size_t kBatch = 1024;

std::vector<Batch> batches_of(const std::vector<std::string>& texts) {
  std::vector<Batch> batches;
  for (std::size_t i = 0; i + kBatch <= texts.size(); i += kBatch) {
    auto rows = std::make_shared<Rows>();
    rows->time.resize(kBatch);
    rows->floor.resize(kBatch);
    rows->position.resize(kBatch);
    auto column = std::make_shared<Column>();
    for (std::size_t k = 0; k < kBatch; ++k) column->push_back(Value::string(texts[i + k]));
    batches.emplace_back(rows, std::vector<ColumnPtr>{column}, std::make_shared<const Origin>());
  }
  return batches;
}

// The whole operator, per record: values as texts, half of them found and given their fields.
double operator_nanos(const std::shared_ptr<ListSlot>& slot,
                      const std::vector<std::string>& texts) {
  Registry registry;
  add_builtin_operators(registry);
  ConfigNode fields;
  fields.shape = ConfigNode::Shape::map;
  fields.entries.emplace_back(scalar("field"), scalar("value"));
  fields.entries.emplace_back(scalar("list"), scalar("known"));
  Diagnostics problems;
  std::unique_ptr<OperatorPlan> plan;
  for (const auto& registered : registry.operators())
    if (registered.view.type == "match") plan = registered.make(fields, {}, problems).plan;
  Schema schema;
  schema.fields.push_back({"value", Type::string, false});
  auto scope = std::make_shared<ListScope>();
  scope->add(slot);
  schema.lists = scope;
  plan->bind(schema, problems);
  const auto op = plan->make({});
  const auto batches = batches_of(texts);
  double best = 1e9;
  for (int pass = 0; pass < 3; ++pass) {
    Counter out;
    const double start = cpu_seconds();
    for (const Batch& batch : batches)
      if (!op->on_batch(batch, out)) std::printf("the operator failed\n");
    best =
        std::min(best, seconds_since(start) * 1e9 / static_cast<double>(batches.size() * kBatch));
    if (out.emitted == 0) std::printf("the operator found nothing\n");
  }
  return best;
}

struct SwapMicros {
  double met = 0;  // the longest of the calls that met a swap: the first with the new content, and
                   // the one before it, which may have waited for the same lock
  double any = 0;  // the longest of all
};

// How long taking a view of `read` and dropping it takes while the content of `swapped` is swapped,
// as the runtime does it: it holds on to the old content until nobody else does. Of the thread's
// own CPU, to which this machine adds what the neighbours took; if they are two slots, nothing else
// is left.
SwapMicros swap_micros(const ListSlot& read, ListSlot& swapped,
                       const std::shared_ptr<const IndicatorList>& list, const Clock& clock) {
  std::atomic<bool> over = false;
  SwapMicros micros;
  std::thread worker([&] {
    const IndicatorList* known = list.get();
    double before = 0;
    while (!over) {
      const IndicatorList* content = nullptr;
      const double start = cpu_seconds();
      {
        const ListView view = read.take();
        content = view.list.get();
      }
      const double took = seconds_since(start) * 1e6;
      micros.any = std::max(micros.any, took);
      if (content != known) micros.met = std::max({micros.met, before, took});
      known = content;
      before = took;
    }
  });
  for (int i = 0; i < 20; ++i) {
    // A content of its own each time, that is freed here.
    auto fresh = std::make_shared<const IndicatorList>(*list);
    swapped.put(fresh, &clock);
    std::this_thread::yield();
    swapped.put(list, &clock);
    while (fresh.use_count() > 1) std::this_thread::yield();
  }
  over = true;
  worker.join();
  return micros;
}

void measure(const Subject& subject) {
  std::size_t bytes = 0;
  for (const auto& entry : subject.entries) bytes += entry.size();
  double start = cpu_seconds();
  IndicatorListBuilder builder(1);
  builder.reserve(subject.entries.size(), bytes);
  for (const auto& entry : subject.entries) builder.add({.value = entry});
  const double added = seconds_since(start);
  start = cpu_seconds();
  const auto list = builder.build();
  const double built = seconds_since(start);
  std::printf("%9zu %-14s read %.3f s, built %.3f s, %.1f B an entry\n", subject.entries.size(),
              subject.name, added, built,
              static_cast<double>(list->bytes()) / static_cast<double>(list->size()));
  const EventTime now{};
  std::vector<Question> questions;
  for (const auto& asked : subject.asked) questions.push_back(question_of(asked));
  std::uint32_t hits[kLookupBlock];
  const auto read = [&](std::size_t i) {
    list->find(&questions[i], kLookupBlock, now, hits);
    return found_in(hits);
  };
  const auto text = [&](std::size_t i) {
    Question block[kLookupBlock];
    for (std::size_t k = 0; k < kLookupBlock; ++k) block[k] = question_of(subject.asked[i + k]);
    list->find(block, kLookupBlock, now, hits);
    return found_in(hits);
  };
  const auto alone = [&](std::size_t i) {
    for (std::size_t k = 0; k < kLookupBlock; ++k) hits[k] = list->find(subject.asked[i + k], now);
    return found_in(hits);
  };
  const auto only_read = [&](std::size_t i) {
    std::size_t known = 0;
    for (std::size_t k = 0; k < kLookupBlock; ++k)
      known += question_of(subject.asked[i + k]).kind != Question::Kind::nothing;
    return known;
  };
  if (questions[0].kind == Question::Kind::v4) {
    std::vector<std::uint32_t> addresses;
    for (const auto& question : questions) addresses.push_back(question.v4);
    const auto bare = [&](std::size_t i) {
      list->find_v4(&addresses[i], kLookupBlock, now, hits);
      return found_in(hits);
    };
    std::printf("%43s %.1f ns uniform, %.1f ns hot",
                "an address, in a block:", nanos_of(kAsked, bare), nanos_of(kHot, bare));
    std::mt19937_64 dice(11);
    for (auto& address : addresses) address = static_cast<std::uint32_t>(dice());
    std::printf(", %.1f ns any\n", nanos_of(kAsked, bare));
  }
  std::printf("%43s %.1f ns uniform, %.1f ns hot\n",
              "a question, in a block:", nanos_of(kAsked, read), nanos_of(kHot, read));
  std::printf("%43s %.1f ns uniform, %.1f ns hot (reading it alone: %.1f ns)\n",
              "a text, in a block:", nanos_of(kAsked, text), nanos_of(kHot, text),
              nanos_of(kHot, only_read));
  std::printf("%43s %.1f ns uniform, %.1f ns hot\n", "a text, alone:", nanos_of(kAsked, alone),
              nanos_of(kHot, alone));
  SystemClock clock;
  const auto slot = std::make_shared<ListSlot>("known", 0);
  slot->put(list, &clock);
  std::printf("%43s %.1f ns\n", "operator match, per record:", operator_nanos(slot, subject.asked));
  ListSlot other("other", 0);
  other.put(list, &clock);
  for (int i = 0; i < 3; ++i) {
    const SwapMicros own = swap_micros(*slot, *slot, list, clock);
    const double others = swap_micros(*slot, other, list, clock).any;
    std::printf("%43s %.1f us; any call %.1f us (when another list is swapped: %.1f us)\n",
                "a swap, the longest call that met it:", own.met, own.any, others);
  }
  limit(list->bytes());
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::size_t> sizes;
  for (int i = 1; i < argc; ++i) sizes.push_back(std::strtoull(argv[i], nullptr, 10));
  if (sizes.empty()) sizes = {100'000, 1'000'000, 5'000'000};
  for (const std::size_t size : sizes) {
    std::mt19937_64 dice(7);
    if (size == 0) continue;
    measure(networks(size, dice));
    measure(v6_networks(size, dice));
    measure(domains(size, dice));
  }
}
