// SPDX-License-Identifier: Apache-2.0
// A function of a plugin for expressions: sd::test::call(streamd_plugin(), "rot13", {"abc"}).
#pragma once

#include "host.hpp"

#include <algorithm>

namespace sd::test {

namespace detail {
class FunctionRun final : public Host {
 public:
  Field call(const sd_function& function, const std::vector<Field>& args) {
    const std::string name(sd::text(function.name));
    if (args.size() < function.min_args || args.size() > function.max_args)
      throw std::invalid_argument(name + "() does not take " + std::to_string(args.size()) +
                                  " arguments");
    Borrowed memory;
    auto* values = memory.array<sd_value>(args.size());
    for (std::size_t i = 0; i < args.size(); ++i) {
      values[i] = args[i].lend(memory);
      const std::uint32_t kinds =
          function.accepts_count == 0
              ? 0
              : function.accepts[std::min<std::size_t>(i, function.accepts_count - 1)];
      if (kinds != 0 && (kinds >> values[i].kind & 1) == 0)
        throw std::invalid_argument(name + "() does not take " + args[i].show());
    }
    sd_value result{SD_NULL, 0, {0}};
    enter(During::call, "call()", {},
          [&] { return function.call(&table_, task(), values, args.size(), &result); });
    if (result.kind == SD_ERROR)
      throw Failed(result.size == 0 ? "" : std::string(result.as.s, result.size));
    if (!sound(result, function.result, "the result of " + name + "()"))
      enter(During::call, "call()", {}, [] { return SD_OK; });
    return Field::copy(result);
  }
};
}  // namespace detail

// Throws sd::Failed with the text of a result that is an error, and std::invalid_argument for
// arguments that the engine would not let through.
inline Field call(const sd_plugin* plugin, std::string_view name, const std::vector<Field>& args) {
  const auto& function = detail::find(plugin->functions, plugin->function_count, name,
                                      [](const sd_function& one) { return one.name; });
  return detail::FunctionRun().call(function, args);
}

}  // namespace sd::test
