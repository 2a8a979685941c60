// SPDX-License-Identifier: Apache-2.0
// The C++ SDK and the fake host, by each other.
#include "probe.h"

#include <streamd/fake_host.hpp>

using namespace std::chrono_literals;
using sd::test::at;
using sd::test::call;
using sd::test::equal;
using sd::test::expect;
using sd::test::Field;
using sd::test::Misuse;
using sd::test::OperatorRun;
using sd::test::throws;
using sd::test::WrongSettings;

namespace {

OperatorRun add(sd::test::Settings settings = {}) {
  return {streamd_plugin(), "add", std::move(settings)};
}
OperatorRun keyed(sd::test::Settings more = {}) {
  more.insert({"by", "user"});
  return {streamd_plugin(), "keyed", std::move(more)};
}
const sd::test::Input kAnn = {at(0s), {{"user", "ann"}}}, kBob = {at(1s), {{"user", "bob"}}};

// Each test says itself what the probe does.
void reset() {
  probe::on_add = nullptr;
  probe::on_keyed = [](auto&, const auto&, auto&) {};
  probe::on_timer = [](auto&, auto, auto, auto, auto&) {};
  probe::on_watermark = nullptr;
}

void options_that_are_not_set_have_the_defaults_of_the_struct() {
  reset();
  add();
  const probe::AllOptions plain;
  equal(probe::seen.flag, plain.flag);
  equal(probe::seen.count, plain.count);
  equal(probe::seen.port, plain.port);
  equal(probe::seen.share, plain.share);
  equal(probe::seen.text, plain.text);
  expect(probe::seen.wait == plain.wait && probe::seen.size.count == plain.size.count);
  expect(probe::seen.names == plain.names && !probe::seen.perhaps);
}

void options_that_are_set_are_read() {
  reset();
  add({{"flag", "false"},
       {"count", "-5"},
       {"port", "443"},
       {"share", "1"},
       {"text", "'it is'"},
       {"mode", "safe"},
       {"wait", "1m"},
       {"size", "2KiB"},
       {"names", "[a, 'b, c']"},
       {"perhaps", "-7"}});
  equal(probe::seen.flag, false);
  equal(probe::seen.count, -5);
  equal(probe::seen.port, 443);
  equal(probe::seen.share, 1.0);
  equal(probe::seen.text, "it is");
  equal(probe::seen.mode, "safe");
  expect(probe::seen.wait == 1min && probe::seen.size.count == 2048);
  expect(probe::seen.names == std::vector<std::string>{"a", "b, c"});
  equal(probe::seen.perhaps.value_or(0), -7);
}

void wrong_options_are_refused() {
  reset();
  throws<WrongSettings>([] { add({{"flag", "yes"}}); }, "flag");
  throws<WrongSettings>([] { add({{"count", "6"}}); }, "bounds");
  throws<WrongSettings>([] { add({{"port", "65536"}}); }, "bounds");
  throws<WrongSettings>([] { add({{"mode", "slow"}}); }, "choices");
  throws<WrongSettings>([] { add({{"wait", "61s"}}); }, "bounds");
  throws<WrongSettings>([] { add({{"share", "1.5"}}); }, "share must not be above 1");
  throws<WrongSettings>([] { add({{"unknown", "1"}}); }, "unknown");
}

void columns_are_found_behind_those_before_them() {
  reset();
  auto run = add({{"first", "a"}, {"more", "{x: b, y: c}"}, {"last", "d"}, {"as", "joined"}});
  for (int holes = 0; holes < 2; ++holes)
    run.push({{at(0s), {{"a", 7}, {"b", "B"}, {"c", "C"}, {"d", "D"}}}, {at(1s), {{"c", 1}}}});
  equal(run.passed.size(), 4u);
  for (const std::size_t i : {0u, 2u}) {
    equal(run.passed[i].fields.at("number"), 7.0);
    equal(run.passed[i].fields.at("joined"), "BCD");
    equal(run.passed[i + 1].fields.contains("number"), false);
    equal(run.passed[i + 1].fields.at("joined"), "1");
  }
}

void options_of_columns_that_are_not_set_are_missing() {
  reset();
  auto run = add();
  run.push(at(0s), {{"a", 7}});
  equal(run.passed.at(0).fields.at("all"), "");
  equal(run.passed[0].fields.contains("number"), false);
}

void what_is_thrown_ends_the_run_with_its_text() {
  reset();
  auto run = add();
  probe::on_add = [](auto&, auto&) { throw std::runtime_error("it broke"); };
  throws<sd::Failed>([&] { run.push({kAnn}); }, "it broke");
  probe::on_add = [](auto&, auto&) { throw sd::Failed("it is gone", "look for it"); };
  throws<sd::Failed>([&] { run.push({kAnn}); }, "it is gone");
  probe::on_add = [](auto&, auto&) { throw 7; };
  throws<sd::Failed>([&] { run.push({kAnn}); }, "no std::exception");
}

void only_sources_and_sinks_may_ask_to_be_called_again() {
  reset();
  auto run = add();
  probe::on_add = [](auto&, auto&) { throw sd::Retry("not now"); };
  throws<Misuse>([&] { run.push({kAnn}); }, "on_batch()");
  sd::test::SinkRun sink(streamd_plugin(), "probe");
  probe::on_flush = [] { throw sd::Retry("not now", "wait"); };
  throws<sd::Retry>([&] { sink.flush(); }, "not now");
  probe::on_flush = [] { throw std::bad_alloc(); };
  throws<sd::Failed>([&] { sink.flush(); });
}

void every_record_is_accounted_for() {
  reset();
  auto run = add();
  probe::on_add = [](const sd::Batch& batch, sd::Out& out) {
    out.pass(batch[0]);
    out.reject(batch[1], "odd", "it is odd");
    out.drop(sd::Drop::throttled);
  };
  run.push({kAnn, kAnn, kAnn, kAnn});
  equal(run.passed.size(), 1u);
  equal(run.rejected.size(), 1u);
  equal(run.rejected[0].reason, "it is odd");
  equal(run.dropped(sd::Drop::throttled), 1u);
  equal(run.dropped(sd::Drop::filtered), 1u);
}

void rules_that_are_broken_are_named() {
  reset();
  const auto broken = [](auto body, const char* part) {
    auto run = add();
    probe::on_add = body;
    throws<std::exception>([&] { run.push({kAnn, kBob}); }, part);
  };
  using B = sd::Batch;
  using O = sd::Out;
  broken([](const B&, O& out) { out.drop(sd::Drop::late, 3); }, "accounts for 3 records");
  broken([](const B& b, O& out) { out.pass(b[1]), out.pass(b[0]); }, "ascend");
  broken([](const B& b, O& out) { out.pass(b[0]), out.reject(b[0], "a", "b"); }, "passed and");
  broken([](const B& b, O& out) { out.reject(b[0], "a", "b"), out.reject(b[0], "a", "b"); },
         "twice");
  broken([](const B& b, O& out) { out.pass(b[0]), out.pass_all(); }, "both pass() and");
  broken([](const B&, O& out) { out.added<double>(2); }, "there is not");
  broken([](const B& b, O& out) { out.added<bool>(0).set(b[0], true), out.pass(b[0]); },
         "is declared");
  broken([](const B& b,
            O& out) { out.added<std::string>(1).set(b[0], std::string("\xff")), out.pass(b[0]); },
         "not UTF-8");
  broken([](const B&, O& out) { out.emit(probe::Row{}, sd::Time{}); }, "another struct");
}

void state_is_there_again_after_a_crash() {
  reset();
  auto run = keyed();
  probe::on_keyed = [](probe::KeyedProbe& probe, const sd::Batch& batch, sd::Out& out) {
    for (const sd::Record record : batch) {
      auto words = probe.state.get(record.key()).value_or(probe::Words{});
      words.text += "x";
      expect(probe.state.put(record.key(), words));
      out.emit(record.key(), probe::Row{words.text, record.time()}, record.time());
    }
  };
  run.push({kAnn, kBob, kAnn});
  run.checkpoint();
  run.push({kAnn});
  run.crash();
  run.push({kAnn});
  equal(run.made.size(), 5u);
  equal(run.made[4].fields.at("what"), "xxx");
  equal(run.made[4].fields.at("user"), "ann");
  equal(run.keys(), 2u);
}

void timers_come_earliest_first_and_at_the_end() {
  reset();
  auto run = keyed();
  std::string order;
  probe::on_keyed = [](probe::KeyedProbe& probe, const sd::Batch& batch, sd::Out&) {
    probe.timers.set(batch[0].key(), at(30s), 1);
    probe.timers.set(batch[0].key(), at(50s), 2);
    probe.timers.set(batch[0].key(), at(10s), 2);
    probe.timers.set(batch[1].key(), at(20s));
    probe.timers.set(batch[1].key(), at(99s), 7);
    probe.timers.set(batch[1].key(), at(5s), 8);
    probe.timers.clear(batch[1].key(), 8);
  };
  probe::on_timer = [&](probe::KeyedProbe& probe, std::string_view key, unsigned number,
                        sd::Time time, sd::Emitter& out) {
    order += std::to_string((time - at(0s)) / 1s) + ":" + std::to_string(number) + " ";
    if (number == 1) probe.timers.set(key, at(25s), 3);  // in the past: still in this advance
    out.emit(key, probe::Row{"timer", time}, time);
  };
  run.push({kAnn, kBob});
  run.advance(at(10s) - 1us);
  equal(order, "");
  run.advance(at(40s));
  equal(order, "10:2 20:0 30:1 25:3 ");
  run.restart();
  run.end();
  equal(order, "10:2 20:0 30:1 25:3 99:7 ");
  equal(run.made.size(), 5u);
  equal(run.timers(), 0u);
}

void keys_are_bounded_and_forgotten() {
  reset();
  auto run = keyed({{"max_keys", "1"}, {"keep", "1m"}});
  int full = 0;
  probe::on_keyed = [&](probe::KeyedProbe& probe, const sd::Batch& batch, sd::Out&) {
    full += !probe.state.put(batch[0].key(), {"x"});
    full += !probe.timers.set(batch[0].key(), at(1h));
  };
  run.push({kAnn});
  run.push({kBob});
  equal(full, 2);
  run.advance(at(59s));
  equal(run.keys(), 1u);
  run.advance(at(61s));
  equal(run.keys(), 0u);
  run.push({{at(62s), {{"user", "bob"}}}});
  equal(full, 2);
}

void event_time_is_told() {
  reset();
  auto run = keyed();
  std::vector<sd::Time> told;
  probe::on_watermark = [&](sd::Time time) { told.push_back(time); };
  run.advance(at(1s));
  run.end();
  equal(told.size(), 2u);
  expect(told[0] == at(1s) && told[1] == sd::Time::max());
  throws<std::invalid_argument>([&] { run.advance(at(0s)); });
}

void keys_that_no_record_had_are_refused() {
  reset();
  auto run = keyed();
  probe::on_keyed = [](probe::KeyedProbe& probe, const sd::Batch&, sd::Out&) {
    std::ignore = probe.state.get("ann");
  };
  throws<Misuse>([&] { run.push({kAnn}); }, "state_get() of a key that no record had");
  probe::on_keyed = [](auto&, const sd::Batch&, sd::Out& out) { out.emit(probe::Row{}, at(0s)); };
  throws<Misuse>([&] { run.push({kAnn}); }, "needs the key");
}

void functions_take_and_give_values() {
  equal(call(streamd_plugin(), "plus", {1, 2}), 3);
  equal(call(streamd_plugin(), "plus", {1}), 2);
  equal(call(streamd_plugin(), "plus", {1, nullptr}), 2);
  throws<std::invalid_argument>([] { call(streamd_plugin(), "plus", {1, 2, 3}); });
  throws<std::invalid_argument>([] { call(streamd_plugin(), "plus", {"1"}); });
  throws<sd::Failed>([] { call(streamd_plugin(), "plus", {std::uint64_t{1} << 63}); },
                     "argument 1");
  equal(call(streamd_plugin(), "shout", {"ho"}), "ho!");
  equal(call(streamd_plugin(), "root", {4}), 2.0);
  equal(call(streamd_plugin(), "root", {0}), nullptr);
  throws<sd::Failed>([] { call(streamd_plugin(), "root", {-1.0}); }, "no root");
}

void any_value_has_a_text() {
  const auto show = [](const Field& value) {
    return std::string(call(streamd_plugin(), "show", {value}).text());
  };
  equal(show(nullptr), "");
  equal(show(true), "true");
  equal(show(-3), "-3");
  equal(show(~std::uint64_t{0}), "18446744073709551615");
  equal(show(0.1), "0.1");
  equal(show(at(1ms)), "2024-01-01T00:00:00.001000Z");
  equal(show(sd::Time(-1us)), "1969-12-31T23:59:59.999999Z");
  equal(show(1500ms), "1.5");
  equal(show(Field(SD_BYTES, "\x01\xAB")), "01ab");
  equal(show(Field(SD_IP, std::string_view("\xC0\x00\x02\x01", 4))), "192.0.2.1");
  equal(show(Field(SD_CIDR, std::string_view("\x0A\x00\x00\x00\x08", 5))), "10.0.0.0/8");
  const auto ip = [&](std::initializer_list<unsigned> groups) {
    std::string bytes;
    for (const unsigned g : groups) bytes += {static_cast<char>(g >> 8), static_cast<char>(g)};
    return show(Field(SD_IP, bytes));
  };
  equal(ip({0, 0, 0, 0, 0, 0, 0, 0}), "::");
  equal(ip({0, 0, 0, 0, 0, 0, 0, 1}), "::1");
  equal(ip({1, 0, 0, 0, 0, 0, 0, 0}), "1::");
  equal(ip({0x2001, 0xdb8, 0, 1, 0, 0, 0, 1}), "2001:db8:0:1::1");
  equal(ip({1, 0, 2, 3, 4, 5, 6, 7}), "1:0:2:3:4:5:6:7");
  equal(ip({0, 0, 2, 0, 0, 0, 6, 0}), "0:0:2::6:0");
  equal(show(Field::map({"a", Field::list({1, "x\n"}), 2, at(0s)})),
        R"({"a":[1,"x\u000a"],"2":"2024-01-01T00:00:00.000000Z"})");
  Field deep = 1;
  for (int i = 0; i < 70; ++i) deep = Field::list({deep});
  throws<std::exception>([&] { show(deep); });
}

}  // namespace

int main() {
  return sd::test::run({
      {"options that are not set have the defaults of the struct",
       options_that_are_not_set_have_the_defaults_of_the_struct},
      {"options that are set are read", options_that_are_set_are_read},
      {"wrong options are refused", wrong_options_are_refused},
      {"columns are found behind those before them", columns_are_found_behind_those_before_them},
      {"options of columns that are not set are missing",
       options_of_columns_that_are_not_set_are_missing},
      {"what is thrown ends the run with its text", what_is_thrown_ends_the_run_with_its_text},
      {"only sources and sinks may ask to be called again",
       only_sources_and_sinks_may_ask_to_be_called_again},
      {"every record is accounted for", every_record_is_accounted_for},
      {"rules that are broken are named", rules_that_are_broken_are_named},
      {"state is there again after a crash", state_is_there_again_after_a_crash},
      {"timers come earliest first, and at the end", timers_come_earliest_first_and_at_the_end},
      {"keys are bounded and forgotten", keys_are_bounded_and_forgotten},
      {"event time is told", event_time_is_told},
      {"keys that no record had are refused", keys_that_no_record_had_are_refused},
      {"functions take and give values", functions_take_and_give_values},
      {"any value has a text", any_value_has_a_text},
  });
}
