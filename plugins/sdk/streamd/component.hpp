// SPDX-License-Identifier: Apache-2.0
// What operators, sources and sinks have in common: a config and the engine's ear.
#pragma once

#include "spec.hpp"

namespace sd {

template <class Config, class State>
class KeyedOperator;

enum class Level : std::int32_t {
  info = SD_LOG_INFO,
  warning = SD_LOG_WARNING,
  error = SD_LOG_ERROR,
};

namespace detail {
struct Access;

// host: valid for ever. task: names the instance; calls on it only during a call of the engine.
struct Link {
  const sd_host* host = nullptr;
  void* task = nullptr;
};
}  // namespace detail

// Instances are made without arguments; the config is there from open() on, not in a constructor.
template <class C>
class Component {
 public:
  using Config = C;

 protected:
  Component() = default;
  Component(const Component&) = delete;
  Component& operator=(const Component&) = delete;
  ~Component() = default;

  const Config& config() const { return config_; }
  // A line in the engine's log: for changes of state, never per record.
  void log(Level level, std::string_view text) const {
    link_.host->log(link_.task, static_cast<std::int32_t>(level), view(text));
  }
  // The name of the node in the pipeline.
  std::string_view node() const { return text(link_.host->node(link_.task)); }
  std::uint32_t worker() const { return link_.host->worker(link_.task); }
  // The only clock to look at: tests set it.
  Time wall_clock() const { return Time(Duration(link_.host->wall_clock(link_.task))); }
  // True when the run is about to end: whoever waits returns soon.
  bool stopping() const { return link_.host->stopping(link_.task) != 0; }

 private:
  friend struct detail::Access;
  template <class, class>
  friend class KeyedOperator;
  Config config_{};
  detail::Link link_;
};

namespace detail {

// The spec of a component class, built once, for the life of the process.
template <class Class>
auto& spec_of() {
  static auto* const spec = new auto(Class::spec());
  return *spec;
}

// Opens instances for the adapters, and nobody else.
struct Access {
  template <class Class>
  static void bind(Class& into, const sd_host* host, void* task, const sd_value* values) {
    into.link_ = {host, task};
    into.config_ = spec_of<Class>().read(values);
  }
  template <class Class>
  static const Link& link(const Class& of) {
    return of.link_;
  }
};

template <class Class>
sd_code check(const sd_host* host, void* task, const sd_value* values) {
  return guarded(host, task, [&] {
    spec_of<Class>().check(host, task, values);
    return SD_OK;
  });
}

template <class Class>
constexpr bool kHasSpec = requires {
  { Class::spec() } -> std::same_as<Spec<typename Class::Config>>;
};

}  // namespace detail
}  // namespace sd
