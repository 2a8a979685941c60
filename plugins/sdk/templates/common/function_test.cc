// SPDX-License-Identifier: Apache-2.0
#include <streamd/fake_host.hpp>

using sd::test::call;
using sd::test::equal;

namespace {

void vowels_are_counted() {
  equal(call(streamd_plugin(), "plugin_name", {"one"}), 2);
  equal(call(streamd_plugin(), "plugin_name", {"why"}), 0);
  equal(call(streamd_plugin(), "plugin_name", {""}), 0);
}

void only_texts_have_any() {
  sd::test::throws<std::invalid_argument>([] { call(streamd_plugin(), "plugin_name", {5}); });
}

}  // namespace

int main() {
  return sd::test::run({
      {"vowels are counted", vowels_are_counted},
      {"only texts have any", only_texts_have_any},
  });
}
