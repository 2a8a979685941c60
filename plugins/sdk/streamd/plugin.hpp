// SPDX-License-Identifier: Apache-2.0
// All that a plugin in C++20 includes; nothing but the standard library is behind it. A plugin is
// some classes (operator.hpp, source.hpp, sink.hpp) and functions (function.hpp), and at the end of
// one file:
//
//   STREAMD_PLUGIN(sd::plugin("sessions", "1.0.0", "Puts the clicks of one visit together.")
//                      .add<Sessions>()
//                      .function<&rot13>("rot13", "rot13(text): the text, letters moved by 13"))
//
// Build it with -fvisibility=hidden (streamd_add_plugin() of find_package(streamd) does), so that
// streamd_plugin() is the only symbol that others see.
#pragma once

#include "function.hpp"
#include "operator.hpp"
#include "sink.hpp"
#include "source.hpp"

#include <cstdio>

namespace sd {

class Plugin {
 public:
  Plugin(std::string name, std::string version, std::string summary) {
    made_->name = std::move(name);
    made_->version = std::move(version);
    made_->summary = std::move(summary);
  }

  // A class that derives from sd::Operator, sd::KeyedOperator, sd::Source or sd::Sink.
  template <class Class>
  Plugin& add() {
    if constexpr (requires { typename Class::IsSource; })
      made_->sources.push_back(detail::SourceAdapter<Class>::table());
    else if constexpr (requires { typename Class::IsSink; })
      made_->sinks.push_back(detail::SinkAdapter<Class>::table());
    else
      made_->operators.push_back(detail::OperatorAdapter<Class>::table());
    return *this;
  }

  // name: lower case. summary: one sentence, beginning with an example of a call.
  template <auto Function>
  Plugin& function(std::string name, std::string summary, bool member = false) {
    using S = detail::Signature<decltype(Function)>;
    auto& m = *made_;
    m.functions.push_back(&m.function_tables.emplace_back(
        sd_function{sizeof(sd_function), member ? SD_FUNCTION_MEMBER : 0, m.keep(std::move(name)),
                    m.keep(std::move(summary)), As<typename S::Result>::kind, S::min_args(),
                    static_cast<std::uint32_t>(S::kCount), static_cast<std::uint32_t>(S::kCount),
                    S::kAccepts.data(), detail::call<Function>}));
    return *this;
  }

  // For the macro: of static life.
  const sd_plugin* table() {
    auto& m = *made_;
    m.table = {STREAMD_PLUGIN_ABI,
               sizeof(sd_plugin),
               view(m.name),
               view(m.version),
               view(m.summary),
               m.operators.data(),
               m.sources.data(),
               m.sinks.data(),
               m.functions.data(),
               static_cast<std::uint32_t>(m.operators.size()),
               static_cast<std::uint32_t>(m.sources.size()),
               static_cast<std::uint32_t>(m.sinks.size()),
               static_cast<std::uint32_t>(m.functions.size())};
    return &m.table;
  }

 private:
  struct Made {
    std::string name, version, summary;
    std::vector<const sd_operator*> operators;
    std::vector<const sd_source*> sources;
    std::vector<const sd_sink*> sinks;
    std::vector<const sd_function*> functions;
    std::deque<sd_function> function_tables;
    std::deque<std::string> texts;
    sd_plugin table{};
    sd_view keep(std::string text) { return view(texts.emplace_back(std::move(text))); }
  };
  std::shared_ptr<Made> made_ = std::make_shared<Made>();
};

inline Plugin plugin(std::string name, std::string version, std::string summary) {
  return {std::move(name), std::move(version), std::move(summary)};
}

namespace detail {
// What is wrong with a spec is told here, and the engine gets no table.
template <class Make>
const sd_plugin* table_of(Make&& make) noexcept {
  try {
    static auto* const plugin = new Plugin(make());
    static const sd_plugin* const table = plugin->table();
    return table;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "plugin: %s\n", error.what());
  } catch (...) {
    std::fprintf(stderr, "plugin: its description threw something\n");
  }
  return nullptr;
}
}  // namespace detail
}  // namespace sd

#define STREAMD_PLUGIN(...)                                                \
  extern "C" STREAMD_PLUGIN_EXPORT const sd_plugin* streamd_plugin(void) { \
    return sd::detail::table_of([] { return sd::Plugin(__VA_ARGS__); });   \
  }
