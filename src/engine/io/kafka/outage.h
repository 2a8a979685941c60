// SPDX-License-Identifier: Apache-2.0
// Outage: tells once that a cluster does not answer and once, in the same client's name, that it is
// back, however many clients of the pipeline talk to it. Shared by them through Shared, by broker
// list. Thread-safe.
#pragma once

#include "engine/api/shared.h"
#include "engine/core/time.h"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace streamd::kafka {

class Outage {
 public:
  explicit Outage(std::string brokers) : brokers_(std::move(brokers)) {}

  // The one of a pipeline for a broker list.
  static std::shared_ptr<Outage> of(Shared& shared, const std::string& brokers);

  using Log = std::function<void(int level, const std::string& text)>;
  void client_down(const std::string& reason, const Log& log);
  void client_up(Duration was_down);
  // A client that was down is no more.
  void client_gone();

 private:
  const std::string brokers_;
  std::mutex mutex_;
  int down_ = 0;
  Log told_by_;  // who is down first
};

// One client's view: suspects after an error, is sure after `patience` of failed probes. Says when
// the next probe is due: soon in doubt, each second while something waits for the answer, else
// rarely. One thread.
class Health {
 public:
  Health(std::shared_ptr<Outage> outage, Outage::Log log)
      : outage_(std::move(outage)), log_(std::move(log)) {}
  ~Health();
  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;

  // Something went wrong that may be an outage: a probe is due.
  void suspect(std::string reason) {
    suspected_ = true;
    reason_ = std::move(reason);
  }
  // `waiting`: something rests on fresh answers.
  bool probe_due(Duration now, bool waiting = false) const;
  // The last answer is about something else: a probe is due.
  void ask_anew() { last_probe_.reset(); }
  // What the probe said, at monotonic time `now`.
  void probed(bool answered, const std::string& reason, Duration now);
  bool healthy() const { return !failing_ && !suspected_; }

 private:
  std::shared_ptr<Outage> outage_;
  Outage::Log log_;
  std::string reason_;
  bool suspected_ = false;
  bool failing_ = false;
  bool told_ = false;
  Duration failing_since_{};
  std::optional<Duration> last_probe_;
};

}  // namespace streamd::kafka
