// SPDX-License-Identifier: Apache-2.0
#include <streamd/plugin.hpp>

namespace {

struct Config {
  sd::Duration gap = std::chrono::minutes(30);
};

struct Session {
  sd::Time started, ended;
  std::int64_t clicks = 0;
};

class Sessions : public sd::KeyedOperator<Config, Session> {
 public:
  static sd::Spec<Config> spec() {
    return sd::Spec<Config>("sessions")
        .summary("Makes one record of the clicks of each visit.")
        .field(&Config::gap, {.name = "gap", .help = "Silence that ends a visit.", .least = 1})
        .makes(&Session::started, "started")
        .makes(&Session::ended, "ended")
        .makes(&Session::clicks, "clicks")
        .example("Visits of users", "by: user\ngap: 30m");
  }

  void process(const sd::Batch& batch, sd::Out& out) {
    for (const sd::Record click : batch) {
      auto session = state.get(click.key());
      if (session && click.time() + config().gap <= session->started) {
        out.drop(sd::Drop::late);  // of a visit before this one
        continue;
      }
      // Within a batch event time stands still: the timer of the visit before has not come yet.
      if (session && click.time() >= session->ended + config().gap) {
        out.emit(click.key(), *session, session->ended + config().gap);
        session.reset();
      }
      if (!session) session = Session{click.time(), click.time()};
      session->started = std::min(session->started, click.time());
      session->ended = std::max(session->ended, click.time());
      ++session->clicks;
      if (state.put(click.key(), *session))
        timers.set(click.key(), session->ended + config().gap);
      else
        out.drop(sd::Drop::shed);
    }
  }

  void on_timer(std::string_view key, unsigned, sd::Time at, sd::Emitter& out) {
    if (const auto session = state.get(key)) out.emit(key, *session, at);
    state.erase(key);
  }
};

}  // namespace

STREAMD_PLUGIN(sd::plugin("sessions", "1.0.0", "Visits out of clicks.").add<Sessions>())
