// SPDX-License-Identifier: Apache-2.0
// Sinks send records out, at least once: after a crash, records since the last flush() come again
// with the same id(). Derive from sd::Sink and write
//
//   static sd::Spec<Config> spec();
//   void open();                                         // config() is there
//   void write(const sd::Batch& batch, sd::Letters& letters);   // may buffer
//   void flush();              // when it returns, what was written is durable at the far side
//
// and, where it is of use,
//
//   static constexpr bool kWhole = true;        // it needs all fields: Letters::json() works
//   static constexpr bool kEachWorker = true;   // one instance per worker instead of one for all
//
// throw sd::Retry when the far side is not ready; write() has then taken nothing of its batch.
#pragma once

#include "batch.hpp"
#include "component.hpp"

namespace sd {

// What write() can ask and tell about records of its batch.
class Letters {
 public:
  explicit Letters(const detail::Link& link) : link_(link) {}

  // The record can never be written: it becomes a dead letter. code: kebab-case.
  void reject(const Record& record, std::string_view code, std::string_view reason) {
    detail::ensure(link_.host->reject(link_.task, record.number(), view(code), view(reason)));
  }
  // 32 hexadecimal digits that name the record, the same ones when it comes again.
  std::string id(const Record& record) const {
    char digits[32];
    detail::ensure(link_.host->record_id(link_.task, &record.raw_batch(), record.number(), digits));
    return {digits, sizeof digits};
  }
  // The whole record as one JSON object, added to `into` (with kWhole).
  void json(const Record& record, std::string& into) const {
    struct Taking {
      std::string* into;
      bool failed = false;
    } taking{&into};
    const auto take = [](void* arg, sd_view json) {
      auto& to = *static_cast<Taking*>(arg);
      try {
        to.into->append(text(json));
      } catch (...) {  // through the engine nothing may fly
        to.failed = true;
      }
    };
    detail::ensure(
        link_.host->record_json(link_.task, &record.raw_batch(), record.number(), take, &taking));
    if (taking.failed) throw std::bad_alloc();
  }

 private:
  const detail::Link& link_;
};

template <class Config>
class Sink : public Component<Config> {
 public:
  static constexpr bool kWhole = false;
  static constexpr bool kEachWorker = false;
  using IsSink = void;
};

namespace detail {

template <class S>
concept Writes = requires(S& s, const Batch& batch, Letters& letters) {
  s.open();
  s.write(batch, letters);
  s.flush();
};

template <class S>
class SinkAdapter {
  static_assert(kHasSpec<S>, "a sink needs a public static sd::Spec<Config> spec()");
  static_assert(std::is_default_constructible_v<S>,
                "a sink is made without arguments; what needs the config goes into open()");
  static_assert(Writes<S>,
                "a sink needs public void open(), void write(const sd::Batch& batch, "
                "sd::Letters& letters) and void flush()");

 public:
  static const sd_sink* table() {
    static sd_sink made{};
    made.size = sizeof made;
    made.flags = (S::kWhole ? SD_SINK_WHOLE : 0) | (S::kEachWorker ? SD_SINK_EACH_WORKER : 0);
    made.spec = &spec_of<S>().tables().spec;
    made.check = check<S>;
    made.open = open;
    made.write = [](void* self, const sd_batch* batch) {
      return enter(self, [&](S& sink, const Link& link) {
        Letters letters(link);
        sink.write(Batch(*batch), letters);
      });
    };
    made.flush = [](void* self) { return enter(self, [](S& sink, const Link&) { sink.flush(); }); };
    made.close = [](void* self) { delete static_cast<S*>(self); };
    return &made;
  }

 private:
  template <class Call>
  static sd_code enter(void* self, Call&& call) {
    S& sink = *static_cast<S*>(self);
    const Link& link = Access::link(sink);
    return guarded(link.host, link.task, [&] {
      call(sink, link);
      return SD_OK;
    });
  }
  static sd_code open(const sd_host* host, void* task, const sd_value* values, void** self) {
    return guarded(host, task, [&] {
      auto sink = std::make_unique<S>();
      Access::bind(*sink, host, task, values);
      sink->open();
      *self = sink.release();
      return SD_OK;
    });
  }
};

}  // namespace detail
}  // namespace sd
