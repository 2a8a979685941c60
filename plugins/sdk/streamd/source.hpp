// SPDX-License-Identifier: Apache-2.0
// Sources bring raw records in; decoding, event time and dead letters are the engine's. Derive from
// sd::Source and write
//
//   static sd::Spec<Config> spec();
//   void open(std::string_view position);   // of an earlier run's last checkpoint, or empty
//   sd::Pulled pull(std::size_t max_records, sd::Duration max_wait, sd::Feed& feed);
//   std::string position() const;           // where it stands: behind the last record handed over
//
// and, where it is of use,
//
//   void acknowledge(std::string_view position);   // all before it is safe: tell the far side
//   static constexpr bool kBounded = true;         // it ends by itself
//   static constexpr std::string_view kDecode = "text";   // unless the pipeline says so; json
//
// throw sd::Retry when the far side is away. One instance; no two calls on it overlap.
#pragma once

#include "component.hpp"

namespace sd {

enum class Pulled : sd_code {
  more = SD_OK,
  idle = SD_IDLE,  // nothing now, more may come
  end = SD_END,    // nothing will ever come
};

// pull() hands its records over here.
class Feed {
 public:
  explicit Feed(const detail::Link& link) : link_(link) {}
  // The bytes are copied. position: its number in the source, ascending, the same one if it is ever
  // read again. arrival: when it came, if that is known.
  void record(std::string_view bytes, std::uint64_t position, Time arrival = Time{}) {
    detail::ensure(
        link_.host->record(link_.task, view(bytes), position, arrival.time_since_epoch().count()));
  }

 private:
  const detail::Link& link_;
};

template <class Config>
class Source : public Component<Config> {
 public:
  static constexpr bool kBounded = false;
  static constexpr std::string_view kDecode = {};
  using IsSource = void;
};

namespace detail {

template <class S>
concept Pulls = requires(S& s, std::size_t max, Duration wait, Feed& feed) {
  { s.pull(max, wait, feed) } -> std::same_as<Pulled>;
};
template <class S>
concept Positions = requires(S& s, std::string_view position) {
  s.open(position);
  { s.position() } -> std::convertible_to<std::string>;
};
template <class S>
concept Acknowledges = requires(S& s, std::string_view position) {
  s.acknowledge(position);
};

template <class S>
class SourceAdapter {
  static_assert(kHasSpec<S>, "a source needs a public static sd::Spec<Config> spec()");
  static_assert(std::is_default_constructible_v<S>,
                "a source is made without arguments; what needs the config goes into open()");
  static_assert(Pulls<S>,
                "a source needs a public sd::Pulled pull(std::size_t max_records, "
                "sd::Duration max_wait, sd::Feed& feed)");
  static_assert(Positions<S>,
                "a source needs a public void open(std::string_view position) and "
                "std::string position() const");

 public:
  static const sd_source* table() {
    static sd_source made{};
    made.size = sizeof made;
    made.flags = S::kBounded ? SD_SOURCE_BOUNDED : 0;
    made.spec = &spec_of<S>().tables().spec;
    made.decode = view(S::kDecode);
    made.check = check<S>;
    made.open = open;
    made.pull = [](void* self, std::size_t max_records, std::int64_t max_wait) {
      return enter(self, [&](S& source, const Link& link) {
        Feed feed(link);
        return static_cast<sd_code>(source.pull(max_records, Duration(max_wait), feed));
      });
    };
    made.position = [](void* self) {
      return enter(self, [](S& source, const Link& link) {
        const std::string position = source.position();
        ensure(link.host->position(link.task, view(position)));
        return SD_OK;
      });
    };
    if constexpr (Acknowledges<S>)
      made.acknowledge = [](void* self, sd_view position) {
        return enter(self, [&](S& source, const Link&) {
          source.acknowledge(text(position));
          return SD_OK;
        });
      };
    made.close = [](void* self) { delete static_cast<S*>(self); };
    return &made;
  }

 private:
  template <class Call>
  static sd_code enter(void* self, Call&& call) {
    S& source = *static_cast<S*>(self);
    const Link& link = Access::link(source);
    return guarded(link.host, link.task, [&] { return call(source, link); });
  }
  static sd_code open(const sd_host* host, void* task, const sd_value* values, sd_view position,
                      void** self) {
    return guarded(host, task, [&] {
      auto source = std::make_unique<S>();
      Access::bind(*source, host, task, values);
      source->open(text(position));
      *self = source.release();
      return SD_OK;
    });
  }
};

}  // namespace detail
}  // namespace sd
