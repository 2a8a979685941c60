// SPDX-License-Identifier: Apache-2.0
// Lists: the indicator lists of a running pipeline. Each is loaded before the first record and
// refreshed on a thread of its own, off the path of records; its slot gets the new content whole.
// A refresh that fails, or takes away more than the list allows, keeps what is there: one warning,
// and "healed" when it works again.
#pragma once

#include "engine/core/clock.h"
#include "engine/plan/plan.h"
#include "engine/runtime/list_status.h"
#include "engine/runtime/log.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace streamd {

// One list. Not thread-safe: first the control thread, then the list's own.
class RunningList {
 public:
  // `seed`: of the state directory.
  RunningList(const PlanList& list, const Clock& clock, LogFn log, std::uint64_t seed);

  Status open(const std::string& pipeline, const std::string& pipeline_dir);
  // The first load. May be repeated after an error.
  Status load(std::stop_token stop);
  // Refreshes if it is time, lets go of contents that nobody uses any more, and says how long there
  // is nothing to do; nullopt: for ever.
  std::optional<Duration> turn(std::stop_token stop);
  const std::string& name() const { return list_.name; }

 private:
  Status take(ListUpdate update);
  void refresh(std::stop_token stop);
  void schedule(Duration in);
  void failed(const Error& error);
  std::string told(const std::string& text) const;
  void note_status();

  const PlanList& list_;
  const Clock& clock_;
  LogFn log_;
  std::uint64_t seed_, dice_;
  std::unique_ptr<ListLoader> loader_;
  std::shared_ptr<const IndicatorList> current_;
  std::vector<std::shared_ptr<const IndicatorList>> retired_;  // a worker may hold them still
  std::string trouble_;                                        // told; empty: all is well
  std::optional<Error> refused_;  // why the newest content was not taken
  Duration due_{}, pause_{};
  std::string dir_;
  EventTime loaded_{}, trouble_since_{};
  ListStatus noted_;
  Duration note_due_{};
};

class Lists {
 public:
  Lists(const Plan& plan, const Clock& clock, const LogFn& log, std::uint64_t seed);
  ~Lists();
  Lists(const Lists&) = delete;
  Lists& operator=(const Lists&) = delete;

  // `insist`: calls again while an error may heal (Run::insist).
  using Insist = std::function<Status(const std::string& what, const std::function<Status()>&)>;
  Status load(const std::string& pipeline, const std::string& pipeline_dir, std::stop_token stop,
              const Insist& insist);
  // From here on they refresh themselves, until the object ends.
  void start();

 private:
  std::vector<std::unique_ptr<RunningList>> lists_;
  std::vector<std::jthread> threads_;
};

}  // namespace streamd
