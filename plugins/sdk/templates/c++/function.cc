// SPDX-License-Identifier: Apache-2.0
#include <streamd/plugin.hpp>

#include <algorithm>

namespace {

// What an expression calls. It keeps nothing in mind: any thread calls it, in any order.
std::int64_t vowels(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) {
    return std::string_view("aeiouAEIOU").find(c) != std::string_view::npos;
  });
}

}  // namespace

STREAMD_PLUGIN(sd::plugin("plugin_name", "0.1.0", "Counts vowels.")
                   .function<&vowels>("plugin_name",
                                      "plugin_name(text): how many vowels a text has."))
