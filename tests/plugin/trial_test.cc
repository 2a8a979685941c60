// SPDX-License-Identifier: Apache-2.0
#include "plugin/trial.h"

#include "tests/contract/component.h"
#include "tests/plugin/subject.h"

namespace streamd::test {
namespace {

struct Told {
  std::vector<std::string> good, bad;
  plugin::Tell fn() {
    return [this](const std::string& what, const Status& result) {
      (result ? good : bad).push_back(result ? what : what + ": " + result.error().message);
    };
  }
};

Told tried(const std::string& type, const ConfigNode& example) {
  const Registry registry = subject_registry();
  Told told;
  for (const auto& op : registry.operators())
    if (op.view.type == type) plugin::try_component(registry, op.view, example, told.fn());
  return told;
}

TEST_CASE("a plugin that behaves passes its trial", "[plugin]") {
  const Told doubled = tried("doubled", map_of({{"x", scalar("n")}}));
  CHECK(doubled.bad.empty());
  CHECK(doubled.good.size() == 8);
  const Told visits = tried("visits", map_of({{"by", scalar("user")}}));
  CHECK(visits.bad.empty());
  CHECK(visits.good.back() == "operator visits: a restart from a checkpoint");
}

TEST_CASE("a trial tells what goes wrong", "[plugin]") {
  const Told past = tried("odd", map_of({{"how", scalar("past")}}));
  REQUIRE_FALSE(past.bad.empty());
  CHECK(past.bad[0].find("it wrote past its batch") != std::string::npos);
  CHECK_FALSE(tried("doubled", map_of({})).bad.empty());
}

TEST_CASE("functions meet arguments of all kinds in a trial", "[plugin]") {
  Told told;
  const Registry registry = subject_registry();
  for (const auto& function : registry.functions()->all())
    plugin::try_function(function, told.fn());
  CHECK(told.bad.empty());
  CHECK(told.good.size() == 2);
}

}  // namespace
}  // namespace streamd::test
