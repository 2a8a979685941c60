// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/outage.h"

#include <fmt/format.h>

namespace streamd::kafka {
namespace {

// A restarting broker or a name with several addresses is no outage yet.
constexpr Duration kPatience = Duration::from_seconds(2);
constexpr Duration kProbeEvery = Duration::from_seconds(3);
constexpr Duration kProbeWhileWaiting = Duration::from_seconds(1);
constexpr Duration kProbeAgain = Duration::from_millis(500);

}  // namespace

std::shared_ptr<Outage> Outage::of(Shared& shared, const std::string& brokers) {
  return shared.get_or_make<Outage>("kafka.outage:" + brokers,
                                    [&] { return std::make_shared<Outage>(brokers); });
}

void Outage::client_down(const std::string& reason, const Log& log) {
  const std::lock_guard lock(mutex_);
  if (down_++ > 0) return;
  told_by_ = log;
  log(1, fmt::format("no Kafka broker of {} answers ({}); trying again", brokers_, reason));
}

void Outage::client_up(Duration was_down) {
  const std::lock_guard lock(mutex_);
  if (--down_ == 0)
    told_by_(0, fmt::format("healed: Kafka at {} answers again after {:.1f} s", brokers_,
                            static_cast<double>(was_down.micros) / 1e6));
}

void Outage::client_gone() {
  const std::lock_guard lock(mutex_);
  --down_;
}

Health::~Health() {
  if (told_) outage_->client_gone();
}

bool Health::probe_due(Duration now, bool waiting) const {
  if (!last_probe_) return true;
  const Duration since = now - *last_probe_;
  if (suspected_ || failing_) return since >= kProbeAgain;
  return since >= (waiting ? kProbeWhileWaiting : kProbeEvery);
}

void Health::probed(bool answered, const std::string& reason, Duration now) {
  last_probe_ = now;
  if (answered) {
    if (told_) outage_->client_up({now.micros - failing_since_.micros});
    suspected_ = failing_ = told_ = false;
    return;
  }
  if (!failing_) failing_since_ = now;
  failing_ = true;
  if (told_ || now.micros - failing_since_.micros < kPatience.micros) return;
  told_ = true;
  outage_->client_down(reason_.empty() ? reason : reason_, log_);
}

}  // namespace streamd::kafka
