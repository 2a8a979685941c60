// SPDX-License-Identifier: Apache-2.0
#include <streamd/fake_host.hpp>

using sd::test::equal;
using sd::test::expect;

namespace {

void it_counts_and_ends() {
  sd::test::SourceRun run(streamd_plugin(), "plugin_name", {{"count", "3"}});
  expect(run.pull(2) == sd::Pulled::more);
  expect(run.pull(2) == sd::Pulled::end);
  equal(run.records.size(), 3u);
  equal(run.records[2].bytes, R"({"number": 2})");
}

void after_a_crash_it_goes_on_at_the_checkpoint() {
  sd::test::SourceRun run(streamd_plugin(), "plugin_name", {{"count", "4"}});
  run.pull(2);
  run.checkpoint();
  run.pull(1);
  run.crash();
  run.records.clear();
  run.pull(100);
  equal(run.records.size(), 2u);
  equal(run.records[0].position, 2u);
}

}  // namespace

int main() {
  return sd::test::run({
      {"it counts and ends", it_counts_and_ends},
      {"after a crash it goes on at the checkpoint", after_a_crash_it_goes_on_at_the_checkpoint},
  });
}
