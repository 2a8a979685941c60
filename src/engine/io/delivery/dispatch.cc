// SPDX-License-Identifier: Apache-2.0
#include "engine/io/delivery/dispatch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace streamd::delivery {
namespace {

constexpr std::size_t kFewest = 10;  // items of a request to a far side that is slow

bool all_unsent(const Answer& answer) {
  return !answer.items.empty() &&
         std::all_of(answer.items.begin(), answer.items.end(),
                     [](const Verdict& one) { return one.kind == Verdict::Kind::unsent; });
}

}  // namespace

void Dispatch::add(std::vector<Item> items) {
  for (auto& item : items) {
    const std::uint64_t place = item.begin;
    Open& open = items_[place];
    open.item = std::move(item);
    held_ += open.item.document.size() + open.item.raw.size();
    if (closed_)
      refuse(open, closed_code_, closed_reason_);
    else
      fresh_.push_back(place);
  }
}

std::vector<Item> Dispatch::next(Duration now, std::size_t items, std::size_t bytes) {
  std::vector<Item> batch;
  if (now < paused_until_ || closed_) return batch;
  items = std::min(items, limit_);
  std::size_t size = 0;
  const auto take = [&](std::uint64_t place) {
    Open& open = items_.at(place);
    ++open.attempts;
    size += open.item.document.size();
    batch.push_back(open.item);
  };
  const auto full = [&](std::uint64_t place) {
    return batch.size() >= items ||
           (!batch.empty() && size + items_.at(place).item.document.size() > bytes);
  };
  if (!halves_.empty()) {
    for (const auto place : halves_.front()) take(place);
    halves_.pop_front();
  } else {
    while (!later_.empty() && later_.begin()->first <= now && !full(later_.begin()->second)) {
      take(later_.begin()->second);
      later_.erase(later_.begin());
    }
    while (!fresh_.empty() && !full(fresh_.front())) {
      take(fresh_.front());
      fresh_.pop_front();
    }
  }
  flying_ += batch.size();
  return batch;
}

std::optional<Duration> Dispatch::wakes_at() const {
  if (closed_) return std::nullopt;
  std::optional<Duration> at;
  if (!later_.empty()) at = later_.begin()->first;
  if (!halves_.empty()) at = Duration{};
  if (at) at = std::max(*at, paused_until_);
  return at;
}

// Half of it is certain, the other half is diced, so that many clients do not come back at once.
Duration Dispatch::pause_after(unsigned attempts) {
  const unsigned doublings = std::min(attempts > 0 ? attempts - 1 : 0, 20u);
  const std::int64_t whole =
      std::min(retry_.longest.micros, std::max<std::int64_t>(retry_.first.micros, 1) << doublings);
  return {whole / 2 + std::uniform_int_distribution<std::int64_t>(0, whole / 2)(dice_)};
}

News Dispatch::answered(const std::vector<Item>& sent, const Answer& given, Duration now) {
  Answer odd;
  const bool fits = given.kind != Answer::Kind::each || given.items.size() == sent.size();
  if (!fits) {
    odd.kind = Answer::Kind::again;
    odd.message = fmt::format("the answer is about {} records, {} were sent", given.items.size(),
                              sent.size());
  }
  const Answer& answer = fits ? given : odd;
  flying_ -= sent.size();
  const bool stale = sent_before_trouble_ > 0;
  sent_before_trouble_ -= std::min(sent_before_trouble_, sent.size());
  News news;
  if (answer.pause > Duration{}) paused_until_ = std::max(paused_until_, now + answer.pause);
  switch (answer.kind) {
    case Answer::Kind::again:
      again(sent, answer, now);
      if (std::exchange(in_trouble_, true)) return news;
      sent_before_trouble_ = flying_;
      return {News::Kind::trouble, answer.message};
    case Answer::Kind::blocked:
      again(sent, answer, now);
      paused_until_ = std::max(paused_until_, now + retry_.blocked);
      if (!std::exchange(in_trouble_, true)) sent_before_trouble_ = flying_;
      if (!std::exchange(blocked_, true)) news = {News::Kind::blocked, answer.message};
      return news;
    case Answer::Kind::closed:
      closed_ = true;
      closed_code_ = answer.code;
      closed_reason_ = answer.message;
      for (const auto& item : sent) refuse(items_.at(item.begin), answer.code, answer.message);
      refuse_all(answer.code, answer.message);
      return {News::Kind::closed, answer.message};
    case Answer::Kind::split: split(sent); break;
    case Answer::Kind::each:
      take_verdicts(sent, answer, now);
      // Where nothing was sent, as it had to wait, nobody knows whether it would have arrived.
      if (all_unsent(answer)) return news;
      if (answer.message.empty()) break;
      failures_ = 0;
      if (std::exchange(in_trouble_, true)) return news;
      sent_before_trouble_ = flying_;
      return {News::Kind::trouble, answer.message};
  }
  if (stale) return news;
  failures_ = 0;
  if (limit_ < SIZE_MAX / 2) limit_ *= 2;
  blocked_ = false;
  if (std::exchange(in_trouble_, false)) news.kind = News::Kind::healed;
  return news;
}

// In the order in which they stood, before all that is fresh.
void Dispatch::again(const std::vector<Item>& sent, const Answer& answer, Duration now) {
  if (++failures_ > 1) limit_ = std::max(kFewest, std::min(limit_, sent.size()) / 2);
  if (answer.pause == Duration{})
    paused_until_ = std::max(paused_until_, now + pause_after(failures_));
  std::vector<std::uint64_t> places;
  for (const auto& item : sent) {
    if (closed_)
      refuse(items_.at(item.begin), closed_code_, closed_reason_);
    else if (halves_.empty())
      later_.emplace(paused_until_, item.begin);
    else
      places.push_back(item.begin);
  }
  if (places.empty()) return;
  if (places.size() > limit_)
    halve(places);
  else
    halves_.push_front(std::move(places));
}

// They go before what came after them, as one of it may replace one of theirs.
void Dispatch::halve(const std::vector<std::uint64_t>& places) {
  const auto middle = places.begin() + static_cast<std::ptrdiff_t>(places.size() / 2);
  halves_.emplace_front(middle, places.end());
  halves_.emplace_front(places.begin(), middle);
}

void Dispatch::split(const std::vector<Item>& sent) {
  if (sent.size() == 1)
    return refuse(
        items_.at(sent.front().begin), "too-large",
        fmt::format("{} bytes are more than the service takes", sent.front().document.size()));
  std::vector<std::uint64_t> places;
  for (const auto& item : sent) places.push_back(item.begin);
  halve(places);
  if (closed_) refuse_all(closed_code_, closed_reason_);
}

void Dispatch::take_verdicts(const std::vector<Item>& sent, const Answer& answer, Duration now) {
  std::vector<std::uint64_t> unsent;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    Open& open = items_.at(sent[i].begin);
    const Verdict& verdict = answer.items.at(i);
    if (verdict.kind == Verdict::Kind::done)
      forget(sent[i].begin);
    else if (verdict.kind == Verdict::Kind::refused)
      refuse(open, verdict.code, verdict.reason);
    else if (closed_)
      refuse(open, closed_code_, closed_reason_);
    else if (verdict.kind == Verdict::Kind::unsent) {
      --open.attempts;
      unsent.push_back(sent[i].begin);
    } else {
      // Alone, it shall not keep a whole chunk of others in memory.
      open.item = own_copy(open.item);
      later_.emplace(now + pause_after(open.attempts), sent[i].begin);
    }
  }
  if (!unsent.empty()) put_back(std::move(unsent));
}

// Few, and older than nearly all that is fresh.
void Dispatch::put_back(std::vector<std::uint64_t> places) {
  fresh_.insert(fresh_.begin(), places.begin(), places.end());
  std::sort(fresh_.begin(), fresh_.end());
}

void Dispatch::refuse(Open& open, std::string code, std::string reason) {
  if (std::exchange(open.refused, true)) return;
  refused_.push_back({own_copy(open.item), std::move(code), std::move(reason), open.attempts});
}

void Dispatch::refuse_all(const std::string& code, const std::string& reason) {
  // Others may still fly; their answers decide about them.
  std::vector<std::uint64_t> waiting(fresh_.begin(), fresh_.end());
  for (const auto& half : halves_) waiting.insert(waiting.end(), half.begin(), half.end());
  for (const auto& [at, place] : later_) waiting.push_back(place);
  fresh_.clear();
  halves_.clear();
  later_.clear();
  std::sort(waiting.begin(), waiting.end());
  for (const auto place : waiting) refuse(items_.at(place), code, reason);
}

std::vector<Dispatch::Refused> Dispatch::take_refused() { return std::exchange(refused_, {}); }

void Dispatch::forget(std::uint64_t begin) {
  const auto found = items_.find(begin);
  held_ -= found->second.item.document.size() + found->second.item.raw.size();
  items_.erase(found);
}

std::optional<std::uint64_t> Dispatch::first_open() const {
  if (items_.empty()) return std::nullopt;
  return items_.begin()->first;
}

bool Dispatch::idle() const {
  return flying_ == 0 && fresh_.empty() && halves_.empty() && later_.empty();
}

}  // namespace streamd::delivery
