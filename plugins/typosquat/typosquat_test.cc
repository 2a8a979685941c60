// SPDX-License-Identifier: Apache-2.0
// The shared library is the argument: what Rust says of the layout is what C++ sees.
#include <streamd/fake_host.hpp>

using namespace std::chrono_literals;
using sd::test::at;
using sd::test::equal;

namespace {

const sd_plugin* plugin = nullptr;

sd::test::OperatorRun typosquat(sd::test::Settings more = {}) {
  more.insert({{"domain", "query"}, {"brands", "[paypal, www.example.org]"}});
  return {plugin, "typosquat", std::move(more)};
}

const std::vector<sd::test::Input> kQueries = {{at(0s), {{"query", "www.paypa1.com"}}},
                                               {at(1s), {{"query", "paypal.com"}}},
                                               {at(2s), {{"query", "exmaple.net"}}},
                                               {at(3s), {{"query", "debian.org"}}},
                                               {at(4s), {{"query", 5}}},
                                               {at(5s), {}}};

void imitations_go_on_with_what_they_imitate() {
  auto run = typosquat();
  for (int holes = 0; holes < 2; ++holes) {
    run.passed.clear();
    run.push(kQueries);
    equal(run.passed.size(), 2u);
    equal(run.passed[0].fields.at("brand"), "paypal");
    equal(run.passed[0].fields.at("distance"), 1);
    equal(run.passed[1].fields.at("brand"), "www.example.org");
  }
  equal(run.dropped(sd::Drop::filtered), 8u);
}

void all_records_go_on_if_asked() {
  auto run = typosquat({{"keep", "all"}});
  run.push(kQueries);
  equal(run.passed.size(), kQueries.size());
  equal(run.passed[1].fields.contains("brand"), false);
}

void the_distance_is_the_users_choice() {
  auto run = typosquat({{"max_distance", "2"}});
  run.push(at(0s), {{"query", "pyapla.com"}});
  equal(run.passed.at(0).fields.at("distance"), 2);
  sd::test::throws<sd::test::WrongSettings>([] { typosquat({{"max_distance", "9"}}); }, "bounds");
  sd::test::throws<sd::test::WrongSettings>([] { typosquat({{"keep", "some"}}); }, "choices");
}

void instances_do_not_share_anything() {
  auto one = typosquat(), other = typosquat({{"brands", "debian"}});
  one.push(at(0s), {{"query", "debain.org"}});
  other.push(at(0s), {{"query", "debain.org"}});
  equal(one.passed.size(), 0u);
  equal(other.passed.at(0).fields.at("brand"), "debian");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  plugin = sd::test::load(argv[1]);
  return sd::test::run({
      {"imitations go on with what they imitate", imitations_go_on_with_what_they_imitate},
      {"all records go on if asked", all_records_go_on_if_asked},
      {"the distance is the user's choice", the_distance_is_the_users_choice},
      {"instances do not share anything", instances_do_not_share_anything},
  });
}
