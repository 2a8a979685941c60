// SPDX-License-Identifier: Apache-2.0
// Made-up beacons and made-up people, from a fixed seed.
#include "series.h"

#include <streamd/fake_host.hpp>

#include <random>

using namespace std::chrono_literals;
using sd::test::at;
using sd::test::equal;
using sd::test::expect;

namespace {

std::mt19937_64& dice() {
  static std::mt19937_64 engine(20240101);
  return engine;
}
double between(double low, double high) {
  return low + (high - low) * static_cast<double>(dice()() >> 11) * 0x1p-53;
}
sd::Duration seconds(double count) { return sd::Duration(static_cast<std::int64_t>(count * 1e6)); }

const sd::test::Settings kSettings = {{"by", "[client, destination]"}};

sd::test::OperatorRun beaconing(sd::test::Settings settings = kSettings) {
  return {streamd_plugin(), "beaconing", std::move(settings)};
}

sd::test::Input call(double second, const std::string& client) {
  return {at(seconds(second)), {{"client", client}, {"destination", "c2.example"}}};
}

// Intervals of `period`, each off by up to `jitter` of it; one in ten calls is missing.
std::vector<sd::test::Input> beacon(const std::string& client, double period, double jitter,
                                    int calls, double missing = 0) {
  std::vector<sd::test::Input> made;
  double now = 0;
  for (int i = 0; i < calls; ++i) {
    now += period * between(1 - jitter, 1 + jitter);
    if (between(0, 1) >= missing) made.push_back(call(now, client));
  }
  return made;
}

// Pages of a dozen requests, with pauses between pages that have no usual length.
std::vector<sd::test::Input> person(const std::string& client, int pages) {
  std::vector<sd::test::Input> made;
  double now = 0;
  for (int page = 0; page < pages; ++page) {
    now += 5 * std::exp(between(0, 6));
    for (int request = 0; request < 12; ++request)
      made.push_back(call(now + 0.05 * request, client));
  }
  return made;
}

// Calls at any time, as many clients behind one address make them.
std::vector<sd::test::Input> noise(const std::string& client, int calls) {
  std::vector<sd::test::Input> made;
  double now = 0;
  for (int i = 0; i < calls; ++i)
    made.push_back(call(now += -60 * std::log(between(1e-9, 1)), client));
  return made;
}

std::size_t found(const sd::test::OperatorRun& run) {
  return static_cast<std::size_t>(std::count_if(
      run.made.begin(), run.made.end(),
      [](const sd::test::Made& made) { return made.fields.at("status") == "found"; }));
}

void beacons_with_jitter_are_found() {
  auto run = beaconing();
  int number = 0;
  for (const double period : {5.0, 60.0, 600.0, 3600.0})
    for (const double jitter : {0.0, 0.05, 0.1, 0.2, 0.3})
      run.push(beacon("client" + std::to_string(number++), period, jitter, 60));
  equal(found(run), 20u);
  for (const auto& made : run.made) {
    expect(made.fields.at("calls").number() < 45, "it took too long");
    expect(made.fields.at("regular").number() >= 0.75);
  }
}

void beacons_that_miss_calls_are_found() {
  auto run = beaconing();
  for (int i = 0; i < 20; ++i) run.push(beacon("client" + std::to_string(i), 60, 0.1, 100, 0.1));
  equal(found(run), 20u);
}

void people_and_noise_are_not_found() {
  auto run = beaconing();
  for (int i = 0; i < 300; ++i) {
    run.push(person("person" + std::to_string(i), 200));
    run.push(noise("noise" + std::to_string(i), 200));
  }
  equal(found(run), 0u);
}

void what_is_found_says_how_regular_it_is() {
  auto run = beaconing();
  run.push(beacon("ann", 60, 0, 20));
  equal(run.made.size(), 1u);
  const auto& fields = run.made[0].fields;
  equal(fields.at("client"), "ann");
  equal(fields.at("destination"), "c2.example");
  equal(fields.at("calls"), 20);
  expect(std::abs(fields.at("interval").number() - 60) < 0.01);
  expect(fields.at("spread").number() < 0.001);
  equal(fields.at("last"), at(seconds(1200)));
}

void a_series_that_falls_silent_ends() {
  auto run = beaconing();
  run.push(beacon("ann", 60, 0, 20));
  run.advance(at(1200s + 299s));
  equal(run.made.size(), 1u);
  run.advance(at(1200s + 301s));
  equal(run.made.size(), 2u);
  equal(run.made[1].fields.at("status"), "ended");
  equal(run.keys(), 0u);
}

void a_silence_within_a_batch_ends_a_series_too() {
  auto run = beaconing();
  auto calls = beacon("ann", 60, 0, 20);
  calls.push_back(call(5000, "ann"));
  run.push(calls);
  equal(run.made.size(), 2u);
  equal(run.made[1].fields.at("status"), "ended");
  expect(run.made[1].time > at(1499s) && run.made[1].time < at(1501s),
         "another time than a timer's");
  run.end();
  equal(run.made.size(), 2u);
}

void series_that_are_not_regular_are_forgotten_in_silence() {
  auto run = beaconing({{"by", "[client, destination]"}, {"forget", "1h"}});
  run.push(noise("ann", 5));
  run.advance(at(48h));
  equal(run.made.size(), 0u);
  equal(run.keys(), 0u);
}

void a_crash_in_the_middle_changes_nothing() {
  const auto calls = beacon("ann", 60, 0.1, 40);
  auto straight = beaconing(), killed = beaconing();
  for (const auto& one : calls) straight.push({one});
  straight.end();
  for (std::size_t i = 0; i < calls.size(); ++i) {
    killed.push({calls[i]});
    if (i % 7 == 6) {  // what came after the checkpoint comes again
      killed.checkpoint();
      const auto before = killed.made.size();
      if (i + 1 < calls.size()) killed.push({calls[i + 1]});
      killed.crash();
      killed.made.resize(before);
    }
  }
  killed.end();
  equal(killed.made.size(), straight.made.size());
  for (std::size_t i = 0; i < killed.made.size(); ++i)
    expect(killed.made[i].fields == straight.made[i].fields, "another record");
}

void calls_of_one_page_count_once() {
  beaconing::Series series;
  equal(series.add(at(0s), 1s), true);
  equal(series.add(at(500ms), 1s), false);
  equal(series.add(at(2s), 1s), true);
  equal(series.calls, 2);
}

void shares_beyond_1_are_refused() {
  sd::test::throws<sd::test::WrongSettings>(
      [] {
        beaconing({{"by", "client"}, {"max_spread", "20"}});
      },
      "max_spread");
}

}  // namespace

int main() {
  return sd::test::run({
      {"beacons with jitter are found", beacons_with_jitter_are_found},
      {"beacons that miss calls are found", beacons_that_miss_calls_are_found},
      {"people and noise are not found", people_and_noise_are_not_found},
      {"what is found says how regular it is", what_is_found_says_how_regular_it_is},
      {"a series that falls silent ends", a_series_that_falls_silent_ends},
      {"a silence within a batch ends a series, too", a_silence_within_a_batch_ends_a_series_too},
      {"series that are not regular are forgotten in silence",
       series_that_are_not_regular_are_forgotten_in_silence},
      {"a crash in the middle changes nothing", a_crash_in_the_middle_changes_nothing},
      {"calls of one page count once", calls_of_one_page_count_once},
      {"shares beyond 1 are refused", shares_beyond_1_are_refused},
  });
}
