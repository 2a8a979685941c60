// SPDX-License-Identifier: Apache-2.0
#include "engine/io/delivery/delivery.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace streamd::delivery {
namespace {

constexpr Duration kLongestRest = Duration::from_seconds(1);
constexpr auto kGrace = std::chrono::seconds(2);
constexpr std::size_t kReadBytes = 256 << 10;
constexpr std::size_t kHeldBatches = 4;

std::chrono::microseconds to_chrono(Duration d) { return std::chrono::microseconds(d.micros); }

}  // namespace

Delivery::Delivery(std::unique_ptr<Outbox> outbox, Destination& destination,
                   DeliveryOptions options, const Clock& clock, Log log)
    : destination_(destination),
      options_(std::move(options)),
      clock_(clock),
      log_(std::move(log)),
      outbox_(std::move(outbox)),
      dispatch_(options_.retry, kHeldBatches * options_.batch_records * options_.concurrency,
                kHeldBatches * options_.batch_bytes * options_.concurrency,
                static_cast<std::uint64_t>(clock.wall().micros)),
      cursor_(outbox_->begin()),
      committed_(outbox_->end()) {}

Delivery::~Delivery() { close(); }

void Delivery::start() {
  for (unsigned i = 0; i < options_.concurrency; ++i) threads_.emplace_back([this] { work(); });
}

std::uint64_t Delivery::end() const {
  const std::lock_guard lock(mutex_);
  return outbox_->end();
}

Result<bool> Delivery::append(std::string_view frames) {
  const std::lock_guard lock(mutex_);
  if (error_) return tl::unexpected(*error_);
  full_ = !outbox_->has_room(frames.size());
  if (!full_) STREAMD_TRY(outbox_->append(frames));
  news_.notify_one();
  return !full_;
}

std::string Delivery::state() const {
  const std::lock_guard lock(mutex_);
  return outbox_->state();
}

Status Delivery::sync() {
  Result<Outbox::Unsynced> work = Outbox::Unsynced{};
  {
    const std::lock_guard lock(mutex_);
    work = outbox_->begin_sync();
  }
  if (!work) return tl::unexpected(std::move(work).error());
  return Outbox::sync(std::move(*work));
}

void Delivery::committed(std::uint64_t end) {
  const std::lock_guard lock(mutex_);
  committed_ = std::max(committed_, end);
  if (auto status = outbox_->committed(end); !status) fail(std::move(status).error());
  news_.notify_all();
}

Status Delivery::health() const {
  const std::lock_guard lock(mutex_);
  if (error_) return tl::unexpected(*error_);
  return {};
}

std::vector<Dispatch::Refused> Delivery::take_refused() {
  const std::lock_guard lock(mutex_);
  return dispatch_.take_refused();
}

void Delivery::forget(const std::vector<std::uint64_t>& places) {
  const std::lock_guard lock(mutex_);
  for (const auto place : places) dispatch_.forget(place);
  settle();
}

bool Delivery::drained() {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(ending_, true)) news_.notify_all();
  return cursor_ == outbox_->end() && dispatch_.idle();
}

std::uint64_t Delivery::waiting() const {
  const std::lock_guard lock(mutex_);
  return outbox_->end() - outbox_->begin();
}

void Delivery::stop() noexcept {
  const std::lock_guard lock(mutex_);
  if (std::exchange(stopping_, true)) return;
  stop_by_ = std::chrono::steady_clock::now() + kGrace;
  news_.notify_all();
}

void Delivery::close() noexcept {
  stop();
  {
    std::unique_lock lock(mutex_);
    news_.wait_until(lock, stop_by_, [this] { return sending_ == 0; });
  }
  hard_stop_.request_stop();
  threads_.clear();
}

void Delivery::work() {
  std::unique_lock lock(mutex_);
  while (!stopping_ && !error_) {
    const Duration now = clock_.monotonic();
    if (!refill(now)) break;
    std::vector<Item> items;
    if (may_go(now)) items = dispatch_.next(now, options_.batch_records, options_.batch_bytes);
    if (items.empty()) {
      news_.wait_for(lock, to_chrono(rest(now)));
      continue;
    }
    if (dispatch_.fresh() == 0) oldest_ = {};
    ++sending_;
    lock.unlock();
    const Answer answer = destination_.send(items, hard_stop_.get_token());
    lock.lock();
    --sending_;
    if (!hard_stop_.stop_requested())
      tell(dispatch_.answered(items, answer, clock_.monotonic()), answer);
    settle();
    news_.notify_all();
  }
}

// False when the outbox can't be read.
bool Delivery::refill(Duration now) {
  const bool wait = options_.when == When::committed && !full_;
  const std::uint64_t until = wait ? committed_ : outbox_->end();
  while (cursor_ < until && dispatch_.fresh() < options_.batch_records && dispatch_.room() > 0) {
    auto items = outbox_->read(cursor_, until, dispatch_.room(), kReadBytes);
    if (!items) {
      fail(std::move(items).error());
      return false;
    }
    if (items->empty()) break;
    cursor_ = items->back().end;
    dispatch_.add(std::move(*items));
    if (oldest_ == Duration{}) oldest_ = now;
  }
  return true;
}

bool Delivery::may_go(Duration now) const {
  const auto wakes = dispatch_.wakes_at();
  if (wakes && *wakes <= now) return true;
  if (dispatch_.fresh() == 0) return false;
  // What can't take more in need not wait for more either.
  return ending_ || full_ || dispatch_.fresh() >= options_.batch_records || dispatch_.room() == 0 ||
         now - oldest_ >= options_.linger;
}

Duration Delivery::rest(Duration now) const {
  Duration until = now + kLongestRest;
  if (const auto wakes = dispatch_.wakes_at()) until = std::min(until, *wakes);
  if (dispatch_.fresh() > 0)
    until = std::min(until, std::max(oldest_ + options_.linger, dispatch_.paused_until()));
  return std::max(until - now, Duration::from_millis(1));
}

void Delivery::tell(const News& news, const Answer& answer) {
  const std::string hint = answer.hint.empty() ? "" : ". " + answer.hint;
  const Duration now = clock_.monotonic();
  if (news.kind != News::Kind::healed && news.kind != News::Kind::none &&
      trouble_since_ == Duration{})
    trouble_since_ = now;
  switch (news.kind) {
    case News::Kind::none: return;
    case News::Kind::trouble:
      return log_(1,
                  fmt::format("{}{}; records wait in the outbox, trying again", news.text, hint));
    case News::Kind::blocked:
      return log_(2, fmt::format("{}{}; records wait in the outbox", news.text, hint));
    case News::Kind::closed:
      return log_(2, fmt::format("{}{}; its records become dead letters", news.text, hint));
    case News::Kind::healed:
      log_(0, fmt::format("healed after {:.1f} s",
                          static_cast<double>((now - trouble_since_).micros) / 1e6));
      trouble_since_ = {};
  }
}

void Delivery::settle() {
  if (auto status = outbox_->finished(dispatch_.first_open().value_or(cursor_)); !status)
    fail(std::move(status).error());
}

void Delivery::fail(Error error) {
  if (!error_) error_ = std::move(error);
}

}  // namespace streamd::delivery
