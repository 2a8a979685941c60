// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/health.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace streamd {
namespace {

// How notices say of a trouble that it will end by itself, or that a person must end it.
constexpr std::array<std::string_view, 4> kTroubles = {
    "; trying again", "records wait", "; waiting for it", "; its records become dead letters"};

bool is_trouble(std::string_view text) {
  for (const auto words : kTroubles)
    if (text.find(words) != std::string_view::npos) return true;
  return false;
}

std::string seconds(Duration d) { return fmt::format("{} s", d.micros / 1'000'000); }

}  // namespace

Health::Health(unsigned workers, Duration now) : beats_(workers), made_(now) {}

void Health::started(Duration now) {
  for (auto& beat : beats_) beat.at.store(now.micros, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  started_ = committed_ = now;
}

void Health::committed(Epoch epoch, Duration now) {
  const std::lock_guard lock(mutex_);
  epoch_ = epoch;
  committed_ = now;
}

void Health::stopping() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
}

// `kind "name": what it says`, where names hold no quotes; or `place: what it says`.
void Health::heard(int level, const std::string& text, Duration now) {
  const std::size_t quote = text.find('"');
  const std::size_t colon = text.find(": ");
  const bool named = quote != std::string::npos && quote < colon;
  const std::size_t end = named ? text.find("\": ", quote + 1) : colon;
  if (end == std::string::npos) return;
  const std::size_t begin = end + (named ? 3 : 2);
  const std::string who = text.substr(0, begin - 2);
  const std::string what = text.substr(begin);
  const std::lock_guard lock(mutex_);
  if (what.starts_with("healed"))
    troubles_.erase(who);
  else if (level > 0 && is_trouble(what))
    troubles_.insert({who, {now, what}}).first->second.text = what;
}

void Health::look_at_workers(Duration now, Duration limit,
                             const std::function<std::string(std::uint32_t)>& name_of,
                             Verdict& verdict) const {
  for (std::size_t w = 0; w < beats_.size(); ++w) {
    const Duration quiet = now - Duration{beats_[w].at.load(std::memory_order_relaxed)};
    if (quiet <= limit) continue;
    const std::uint32_t node = beats_[w].node.load(std::memory_order_relaxed);
    const std::string where = node == kNoNode ? "" : fmt::format(" in \"{}\"", name_of(node));
    verdict.lines.push_back(
        fmt::format("worker {} has been busy with one batch{} for {}", w, where, seconds(quiet)));
  }
}

Health::Verdict Health::look(Duration now, Duration limit, Duration checkpoint_every,
                             const std::function<std::string(std::uint32_t)>& name_of) const {
  Verdict verdict;
  const std::lock_guard lock(mutex_);
  if (!started_) {
    verdict.lines.push_back(fmt::format("is starting since {}", seconds(now - made_)));
  } else {
    look_at_workers(now, limit, name_of, verdict);
    const Duration late = now - committed_ - checkpoint_every;
    if (late > limit)
      verdict.lines.push_back(fmt::format("no checkpoint for {}; the last one is epoch {}",
                                          seconds(now - committed_), epoch_));
  }
  for (const auto& [who, trouble] : troubles_)
    if (!started_ || now - trouble.since > limit)
      verdict.lines.push_back(
          fmt::format("{}: {} (since {})", who, trouble.text, seconds(now - trouble.since)));
  verdict.well = verdict.lines.empty();
  if (verdict.well)
    verdict.lines.push_back(fmt::format("{}: {} worker{}, epoch {}",
                                        stopping_ ? "stopping" : "well", beats_.size(),
                                        beats_.size() == 1 ? "" : "s", epoch_));
  return verdict;
}

}  // namespace streamd
