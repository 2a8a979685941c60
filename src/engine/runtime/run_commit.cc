// SPDX-License-Identifier: Apache-2.0
// What the control thread does with an epoch that all workers have finished.
#include "engine/runtime/control.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace streamd {
namespace {

constexpr Duration kLongestPause = Duration::from_seconds(5);
constexpr Duration kStopPause = Duration::from_millis(200);

}  // namespace

std::optional<Duration> Run::stop_by() {
  if (stop_wanted() && !stop_by_) {
    stop_by_ = options_.clock->monotonic() + options_.stop_limit;
    health_.stopping();
  }
  return stop_by_;
}

// Tries again while the far side may come back: one warning, one notice when it has.
Status Run::insist(const std::string& what, const std::function<Status()>& attempt,
                   AtStop at_stop) {
  const Clock& clock = *options_.clock;
  Duration pause = Duration::from_millis(100);
  for (bool told = false;;) {
    auto status = attempt();
    if (status && told) log_(LogLevel::info, fmt::format("{}: healed", what));
    if (status || status.error().retry == Retry::never) return status;
    const auto limit = stop_by();
    const bool over = limit && (at_stop == AtStop::give_up || clock.monotonic() > *limit);
    if (over || options_.abandon.stop_requested() || checkpoint_.failed()) {
      if (status.error().message.empty())
        status.error().message = fmt::format("{} did not answer before the stop", what);
      return status;
    }
    // Without a message somebody else has told it already.
    if (!told && !status.error().message.empty()) {
      told = true;
      log_(LogLevel::warning, fmt::format("{}: {}; trying again", what, status.error().message));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(pause.micros));
    pause = std::min(Duration{pause.micros * 2}, limit ? kStopPause : kLongestPause);
  }
}

Status Run::commit(EpochParts parts) {
  const Epoch epoch = next_epoch_;
  for (const auto& [source, partitions] : parts.over)
    for (const auto& name : partitions) known_positions_[source].erase(name);
  std::map<std::string, Positions> current;
  for (const auto& [source, partitions] : parts.partitions) {
    auto& positions = current[source];
    for (const auto& [name, stored] : partitions)
      positions[name] = known_positions_[source][name] = stored.position;
  }
  if (transaction_) {
    STREAMD_TRY(store_->prepare(epoch, std::move(parts)));
    STREAMD_TRY(insist(
        transaction_->name(), [&] { return transaction_->commit(epoch, current); }, AtStop::go_on));
    STREAMD_TRY(store_->finish(epoch));
  } else {
    STREAMD_TRY(store_->commit(epoch, std::move(parts)));
  }
  if (dir_) dir_->note_epoch(epoch);
  health_.committed(epoch, options_.clock->monotonic());
  acknowledge(current);
  ++next_epoch_;
  checkpoint_.committed(epoch);
  return {};
}

// A far side that can't be told now is told with the next epoch; the positions that count are ours.
void Run::acknowledge(const std::map<std::string, Positions>& current) {
  for (std::size_t n = 0; n < plan_.nodes.size(); ++n) {
    const auto it = current.find(plan_.nodes[n].name);
    if (!sources_[n] || it == current.end()) continue;
    if (auto status = sources_[n]->acknowledge(next_epoch_, it->second); !status)
      log_(LogLevel::warning,
           fmt::format("source \"{}\": {}", plan_.nodes[n].name, status.error().message));
  }
}

}  // namespace streamd
