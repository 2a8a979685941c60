// SPDX-License-Identifier: Apache-2.0
// What a look-up in an indicator list costs, how long a list takes to build, and its memory:
//   bench_match_cost [entries, 100000 and 1000000 by default]
// Random networks (/20 to /32), addresses of which half are in the list, and domains.
#include "engine/match/indicator_list.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <vector>

using namespace streamd;

namespace {

constexpr std::size_t kLookups = 4'000'000, kAsked = 1 << 16;

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

template <class Ask>
double nanos_of(Ask ask) {
  const double start = cpu_seconds();
  std::size_t found = 0;
  for (std::size_t i = 0; i < kLookups; ++i) found += ask(i & (kAsked - 1)) != 0;
  const double nanos = seconds_since(start) * 1e9 / static_cast<double>(kLookups);
  if (found == 0) std::printf("nothing was found\n");
  return nanos;
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
  const EventTime now{};
  std::vector<IpAddress> addresses;
  for (const auto& asked : subject.asked)
    addresses.push_back(parse_address(asked).value_or(IpAddress{}));
  const double by_text = nanos_of([&](std::size_t i) { return list->find(subject.asked[i], now); });
  std::printf("%10zu %-14s parsed %.3f s, built %.3f s, %5.1f B an entry, %6.1f ns a text",
              subject.entries.size(), subject.name, added, built,
              static_cast<double>(list->bytes()) / static_cast<double>(list->size()), by_text);
  if (parse_address(subject.asked[0]))
    std::printf(", %6.1f ns an address",
                nanos_of([&](std::size_t i) { return list->find(addresses[i], now); }));
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::size_t> sizes;
  for (int i = 1; i < argc; ++i) sizes.push_back(std::strtoull(argv[i], nullptr, 10));
  if (sizes.empty()) sizes = {100'000, 1'000'000};
  for (const std::size_t size : sizes) {
    std::mt19937_64 dice(7);
    if (size == 0) continue;
    measure(networks(size, dice));
    measure(v6_networks(size, dice));
    measure(domains(size, dice));
  }
}
