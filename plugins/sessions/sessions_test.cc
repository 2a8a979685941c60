// SPDX-License-Identifier: Apache-2.0
#include <streamd/fake_host.hpp>

using namespace std::chrono_literals;
using sd::test::at;
using sd::test::equal;

namespace {

const sd::test::Settings kSettings = {{"by", "user"}, {"gap", "30m"}};

sd::test::OperatorRun sessions(sd::test::Settings settings = kSettings) {
  return {streamd_plugin(), "sessions", std::move(settings)};
}

void a_gap_ends_a_session() {
  auto run = sessions();
  run.push({{at(0min), {{"user", "ann"}}}, {at(20min), {{"user", "ann"}}}});
  run.advance(at(50min) - 1us);
  equal(run.made.size(), 0u);
  run.advance(at(50min));
  equal(run.made.size(), 1u);
  equal(run.made[0].fields.at("user"), "ann");
  equal(run.made[0].fields.at("started"), at(0min));
  equal(run.made[0].fields.at("ended"), at(20min));
  equal(run.made[0].fields.at("clicks"), 2);
  equal(run.keys(), 0u);
}

void a_gap_within_a_batch_ends_a_session_too() {
  auto run = sessions();
  run.push({{at(0min), {{"user", "ann"}}},
            {at(1min), {{"user", "ann"}}},
            {at(31min), {{"user", "ann"}}}});
  equal(run.made.size(), 1u);
  equal(run.made[0].fields.at("clicks"), 2);
  equal(run.made[0].time, at(31min));
  run.end();
  equal(run.made.size(), 2u);
  equal(run.made[1].fields.at("started"), at(31min));
}

void a_click_of_an_earlier_visit_is_late() {
  auto run = sessions();
  run.push({{at(60min), {{"user", "ann"}}}, {at(30min), {{"user", "ann"}}}});
  equal(run.dropped(sd::Drop::late), 1u);
  run.end();
  equal(run.made.size(), 1u);
}

void users_do_not_share_a_session() {
  auto run = sessions();
  run.push({{at(0min), {{"user", "ann"}}}, {at(1min), {{"user", "bob"}}}});
  run.end();
  equal(run.made.size(), 2u);
  equal(run.made[0].fields.at("user"), "ann");
  equal(run.made[1].fields.at("user"), "bob");
}

void a_click_that_comes_late_begins_its_session_earlier() {
  auto run = sessions();
  run.push(at(10min), {{"user", "ann"}});
  run.push(at(5min), {{"user", "ann"}});
  run.end();
  equal(run.made.at(0).fields.at("started"), at(5min));
  equal(run.made.at(0).fields.at("ended"), at(10min));
}

void a_restart_in_the_middle_changes_nothing() {
  auto run = sessions();
  run.push(at(0min), {{"user", "ann"}});
  run.restart();
  run.push(at(10min), {{"user", "ann"}});
  run.checkpoint();
  run.push(at(11min), {{"user", "ann"}});
  run.crash();
  run.push(at(11min), {{"user", "ann"}});
  run.end();
  equal(run.made.size(), 1u);
  equal(run.made[0].fields.at("clicks"), 3);
}

void users_beyond_max_keys_are_shed() {
  auto run = sessions({{"by", "user"}, {"max_keys", "1"}});
  run.push({{at(0min), {{"user", "ann"}}}, {at(0min), {{"user", "bob"}}}});
  equal(run.dropped(sd::Drop::shed), 1u);
  run.end();
  equal(run.made.size(), 1u);
}

void a_gap_of_nothing_is_refused() {
  sd::test::throws<sd::test::WrongSettings>(
      [] {
        sessions({{"by", "user"}, {"gap", "0s"}});
      },
      "gap");
}

}  // namespace

int main() {
  return sd::test::run({
      {"a gap ends a session", a_gap_ends_a_session},
      {"a gap within a batch ends a session, too", a_gap_within_a_batch_ends_a_session_too},
      {"a click of an earlier visit is late", a_click_of_an_earlier_visit_is_late},
      {"users do not share a session", users_do_not_share_a_session},
      {"a click that comes late begins its session earlier",
       a_click_that_comes_late_begins_its_session_earlier},
      {"a restart in the middle changes nothing", a_restart_in_the_middle_changes_nothing},
      {"users beyond max_keys are shed", users_beyond_max_keys_are_shed},
      {"a gap of nothing is refused", a_gap_of_nothing_is_refused},
  });
}
