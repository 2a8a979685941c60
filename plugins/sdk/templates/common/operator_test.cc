// SPDX-License-Identifier: Apache-2.0
#include <streamd/fake_host.hpp>

using namespace std::chrono_literals;
using sd::test::at;
using sd::test::equal;

namespace {

void the_length_of_a_text_is_added() {
  sd::test::OperatorRun run(streamd_plugin(), "plugin_name", {{"field", "word"}});
  run.push({{at(0s), {{"word", "one"}}}, {at(1s), {{"word", "twelve"}}}});
  equal(run.passed.size(), 2u);
  equal(run.passed[0].fields.at("length"), 3);
  equal(run.passed[1].fields.at("length"), 6);
}

void what_is_no_text_is_rejected() {
  sd::test::OperatorRun run(streamd_plugin(), "plugin_name", {{"field", "word"}, {"as", "size"}});
  run.push({{at(0s), {{"word", 5}}}, {at(1s), {{"word", "two"}}}, {at(2s), {}}});
  equal(run.passed.size(), 1u);
  equal(run.passed[0].fields.at("size"), 3);
  equal(run.rejected.size(), 2u);
  equal(run.rejected[0].code, "no-text");
}

}  // namespace

int main() {
  return sd::test::run({
      {"the length of a text is added", the_length_of_a_text_is_added},
      {"what is no text is rejected", what_is_no_text_is_rejected},
  });
}
