// SPDX-License-Identifier: Apache-2.0
// State and timers of keyed operators. Both are in the engine's checkpoints: after a crash they are
// what they were for the records that are read again. A key that had no record for the time of the
// option `keep` is forgotten with its timers, and of keys there are at most `max_keys`.
#pragma once

#include "component.hpp"

namespace sd {

// A state of parts that vary in length writes and reads itself.
template <class State>
concept Encoded = requires(const State& state, std::string& into, std::string_view bytes) {
  state.encode(into);
  { State::decode(bytes) } -> std::same_as<State>;
};

template <class State>
class KeyedState {
  static_assert(std::is_trivially_copyable_v<State> || Encoded<State>,
                "the state must be trivially copyable (numbers, times, arrays of chars; no "
                "std::string or std::vector), or have void encode(std::string& into) const and "
                "static State decode(std::string_view)");
  static_assert(!std::is_pointer_v<State> && !std::is_same_v<State, std::string_view>,
                "the state is stored as bytes: what a pointer or a view points to is not in it");

 public:
  explicit KeyedState(const detail::Link& link) : link_(link) {}

  // nullopt: the key has none.
  std::optional<State> get(std::string_view key) const {
    sd_view stored{};
    const sd_code code = link_.host->state_get(link_.task, view(key), &stored);
    detail::ensure(code);
    if (code == SD_NOTHING) return std::nullopt;
    if constexpr (Encoded<State>) {
      return State::decode(text(stored));
    } else {
      if (stored.size != sizeof(State))
        throw Failed("a stored state has " + std::to_string(stored.size) +
                         " bytes, but this version of the plugin keeps " +
                         std::to_string(sizeof(State)),
                     "raise state_version() in the plugin's spec");
      State state;
      std::memcpy(static_cast<void*>(&state), stored.data, sizeof(State));
      return state;
    }
  }

  // False: there are max_keys other keys already. Drop the record then, as Drop::shed.
  [[nodiscard]] bool put(std::string_view key, const State& state) {
    sd_view bytes{};
    if constexpr (Encoded<State>) {
      encoded_.clear();
      state.encode(encoded_);
      bytes = view(encoded_);
    } else {
      bytes = {reinterpret_cast<const char*>(&state), sizeof(State)};
    }
    const sd_code code = link_.host->state_put(link_.task, view(key), bytes);
    detail::ensure(code);
    return code != SD_FULL;
  }

  // With its timers.
  void erase(std::string_view key) {
    detail::ensure(link_.host->state_erase(link_.task, view(key)));
  }

 private:
  const detail::Link& link_;
  std::string encoded_;
};

class Timers {
 public:
  explicit Timers(const detail::Link& link) : link_(link) {}

  // on_timer() is called when event time has reached `at`, and for timers that are left when the
  // input ends. A key has one timer of each number, and setting it again moves it. False: there are
  // max_keys other keys already.
  bool set(std::string_view key, Time at, std::uint32_t number = 0) {
    const sd_code code =
        link_.host->timer_set(link_.task, view(key), number, at.time_since_epoch().count());
    detail::ensure(code);
    return code != SD_FULL;
  }
  void clear(std::string_view key, std::uint32_t number = 0) {
    detail::ensure(link_.host->timer_clear(link_.task, view(key), number));
  }

 private:
  const detail::Link& link_;
};

}  // namespace sd
