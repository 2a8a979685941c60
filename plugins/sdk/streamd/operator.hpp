// SPDX-License-Identifier: Apache-2.0
// Operators. Derive from one of the two classes and write
//
//   static sd::Spec<Config> spec();                              // spec.hpp
//   void process(const sd::Batch& batch, sd::Out& out);          // each batch
//
// and, where it is of use,
//
//   void open();                                                 // config() is there
//   void on_watermark(sd::Time time, sd::Emitter& out);          // Time::max(): the input has
//   ended void on_timer(std::string_view key, unsigned timer, sd::Time at, sd::Emitter& out);  //
//   keyed
//
// An operator whose spec makes() records sends those; all others send records on (pass), perhaps
// with fields more (adds). Each worker has an instance of its own; no two calls on it overlap.
#pragma once

#include "keyed.hpp"
#include "out.hpp"

namespace sd {

template <class Config>
class Operator : public Component<Config> {};

// Records of one key (the option `by`) meet in one instance, which has `state` and `timers`.
template <class Config, class State>
class KeyedOperator : public Component<Config> {
 protected:
  KeyedOperator() : state(this->link_), timers(this->link_) {}
  KeyedState<State> state;
  Timers timers;

 public:
  using KeyedStateType = State;
};

namespace detail {

template <class Op>
constexpr bool kKeyed = requires {
  typename Op::KeyedStateType;
};

template <class Op>
concept Processes = requires(Op& op, const Batch& batch, Out& out) {
  op.process(batch, out);
};
template <class Op>
concept SeesWatermarks = requires(Op& op, Time at, Emitter& out) {
  op.on_watermark(at, out);
};
template <class Op>
concept SeesTimers = requires(Op& op, std::string_view key, unsigned timer, Time at, Emitter& out) {
  op.on_timer(key, timer, at, out);
};
template <class T>
concept Opens = requires(T& t) {
  t.open();
};

template <class Op>
class OperatorAdapter {
  static_assert(kHasSpec<Op>, "an operator needs a public static sd::Spec<Config> spec()");
  static_assert(std::is_default_constructible_v<Op>,
                "an operator is made without arguments; what needs the config goes into open()");
  static_assert(Processes<Op>,
                "an operator needs a public void process(const sd::Batch& batch, sd::Out& out)");
  static_assert(
      SeesWatermarks<Op> || !requires { &Op::on_watermark; },
      "on_watermark() must be public and take (sd::Time time, sd::Emitter& out)");
  static_assert(
      SeesTimers<Op> || !requires { &Op::on_timer; },
      "on_timer() must be public and take (std::string_view key, unsigned timer, sd::Time "
      "at, sd::Emitter& out)");
  static_assert(kKeyed<Op> || !SeesTimers<Op>, "only an sd::KeyedOperator has timers");

 public:
  // Throws what the spec throws. Of static life.
  static const sd_operator* table() {
    auto& spec = spec_of<Op>();
    auto& tables = spec.tables();
    static sd_operator made{};
    made.size = sizeof made;
    made.flags = (kKeyed<Op> ? SD_OPERATOR_KEYED : 0) |
                 (spec.row_type() != nullptr ? SD_OPERATOR_RESULTS : 0);
    made.spec = &tables.spec;
    made.outputs = tables.output_list.data();
    made.output_count = static_cast<std::uint32_t>(tables.output_list.size());
    made.state_version = spec.state_version();
    made.check = check<Op>;
    made.create = create;
    made.on_batch = on_batch;
    if constexpr (kKeyed<Op>) made.on_timer = on_timer;
    if constexpr (SeesWatermarks<Op>) made.on_watermark = on_watermark;
    made.destroy = [](void* self) { delete static_cast<Instance*>(self); };
    return &made;
  }

 private:
  struct Instance {
    Op op;
    Scratch scratch;
    template <class To>
    To to() {
      auto& spec = spec_of<Op>();
      return {Access::link(op), spec.row(), spec.row_type(), scratch};
    }
  };

  template <class Call>
  static sd_code enter(void* self, Call&& call) {
    auto& instance = *static_cast<Instance*>(self);
    const Link& link = Access::link(instance.op);
    return guarded(link.host, link.task, [&] {
      call(instance);
      return SD_OK;
    });
  }

  static sd_code create(const sd_host* host, void* task, const sd_value* values, void** self) {
    return guarded(host, task, [&] {
      auto instance = std::make_unique<Instance>();
      Access::bind(instance->op, host, task, values);
      if constexpr (Opens<Op>) instance->op.open();
      *self = instance.release();
      return SD_OK;
    });
  }
  static sd_code on_batch(void* self, const sd_batch* batch) {
    return enter(self, [&](Instance& instance) {
      instance.scratch.passed.clear();
      Out out = instance.template to<Out>();
      instance.op.process(Batch(*batch), out);
      out.finish();
    });
  }
  static sd_code on_timer(void* self, sd_view key, std::uint32_t timer, std::int64_t at) {
    return enter(self, [&](Instance& instance) {
      if constexpr (SeesTimers<Op>) {
        Emitter out = instance.template to<Emitter>();
        instance.op.on_timer(text(key), timer, Time(Duration(at)), out);
      }
    });
  }
  static sd_code on_watermark(void* self, std::int64_t watermark) {
    return enter(self, [&](Instance& instance) {
      Emitter out = instance.template to<Emitter>();
      instance.op.on_watermark(Time(Duration(watermark)), out);
    });
  }
};

}  // namespace detail
}  // namespace sd
