// SPDX-License-Identifier: Apache-2.0
#include "series.h"

#include <streamd/plugin.hpp>

namespace beaconing {
namespace {

using namespace std::chrono_literals;

struct Config {
  std::int64_t min_calls = 20;
  double max_spread = 0.2;
  double min_regular = 0.75;
  sd::Duration min_interval = 1s;
  std::int64_t ended_after = 5;
  sd::Duration forget = 24h;
};

struct Row {
  std::string_view status;
  std::int64_t calls = 0;
  double interval = 0, spread = 0, regular = 0;
  sd::Time first, last;
};

sd::Duration seconds(double count) {
  return std::chrono::duration_cast<sd::Duration>(std::chrono::duration<double>(count));
}

class Beaconing : public sd::KeyedOperator<Config, Series> {
 public:
  static sd::Spec<Config> spec();

  void process(const sd::Batch& batch, sd::Out& out) {
    for (const sd::Record call : batch) {
      auto series = state.get(call.key()).value_or(Series{});
      // Within a batch event time stands still: the timer may not have come yet.
      if (series.calls > 0 && call.time() >= series.last + patience(series)) {
        if (series.told != 0)
          out.emit(call.key(), row("ended", series), series.last + patience(series));
        series = {};
      }
      if (!series.add(call.time(), config().min_interval)) continue;
      if (series.told == 0 && regular(series)) {
        series.told = 1;
        out.emit(call.key(), row("found", series), call.time());
      }
      if (state.put(call.key(), series))
        timers.set(call.key(), series.last + patience(series));
      else
        out.drop(sd::Drop::shed);
    }
  }

  // The series is over.
  void on_timer(std::string_view key, unsigned, sd::Time at, sd::Emitter& out) {
    const auto series = state.get(key);
    if (series && series->told != 0) out.emit(key, row("ended", *series), at);
    state.erase(key);
  }

 private:
  bool regular(const Series& series) const {
    if (series.calls < config().min_calls) return false;
    const Verdict verdict = series.judge();
    return verdict.interval > 0 && verdict.spread <= config().max_spread &&
           verdict.regular >= config().min_regular;
  }
  // How long it may be silent.
  sd::Duration patience(const Series& series) const {
    if (series.told == 0) return config().forget;
    return std::max(config().min_interval,
                    seconds(series.judge().interval * static_cast<double>(config().ended_after)));
  }
  static Row row(std::string_view status, const Series& series) {
    const Verdict verdict = series.judge();
    return {status,          series.calls, verdict.interval, verdict.spread,
            verdict.regular, series.first, series.last};
  }
};

sd::Spec<Config> Beaconing::spec() {
  return sd::Spec<Config>("beaconing")
      .summary("Finds clients that call a destination at regular intervals, as implants do.")
      .details(
          "`by` says who calls whom: `[client, destination]`. A series of calls is regular when "
          "the "
          "median distance of its latest 32 intervals from their median is small. That bears "
          "jitter, missed calls and pauses; people's traffic comes in bursts and is not "
          "regular.\n\n"
          "A regular series gives a record with `status: found`, once, and one with `status: "
          "ended` when it has been silent for `ended_after` of its intervals, or the input ends.")
      .promise("exactly once, as far as the sink goes")
      .field(&Config::min_calls, {.name = "min_calls",
                                  .help = "Calls before a series is judged.",
                                  .least = 4,
                                  .most = 1'000'000})
      .field(&Config::max_spread, {.name = "max_spread",
                                   .help = "Median distance of intervals from their median, as a "
                                           "part of it: jitter of 20 % gives 0.1."})
      .field(&Config::min_regular,
             {.name = "min_regular", .help = "Share of intervals within half of the median."})
      .field(&Config::min_interval,
             {.name = "min_interval",
              .help = "Calls closer together count as one, such as those of one page.",
              .least = 1'000,
              .most = 86'400'000'000})
      .field(&Config::ended_after, {.name = "ended_after",
                                    .help = "A regular series ends after that many intervals "
                                            "without a call.",
                                    .least = 2,
                                    .most = 1'000})
      .field(&Config::forget, {.name = "forget",
                               .help = "Series that are not regular are forgotten after that much "
                                       "silence.",
                               .least = 1'000'000,
                               .most = 31'536'000'000'000})
      .rule(&Config::max_spread, "max_spread must be above 0 and at most 1",
            "write a share, such as 0.2",
            [](const Config& c) { return c.max_spread > 0 && c.max_spread <= 1; })
      .rule(&Config::min_regular, "min_regular must be between 0 and 1",
            "write a share, such as 0.75",
            [](const Config& c) { return c.min_regular >= 0 && c.min_regular <= 1; })
      .makes(&Row::status, "status")
      .makes(&Row::calls, "calls")
      .makes(&Row::interval, "interval")
      .makes(&Row::spread, "spread")
      .makes(&Row::regular, "regular")
      .makes(&Row::first, "first")
      .makes(&Row::last, "last")
      .example("Who calls home", "by: [client, destination]\nmin_calls: 20");
}

}  // namespace
}  // namespace beaconing

STREAMD_PLUGIN(sd::plugin("beaconing", "1.0.0", "Regular calls to one destination.")
                   .add<beaconing::Beaconing>())
