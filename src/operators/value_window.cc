// SPDX-License-Identifier: Apache-2.0
#include "operators/value_window.h"

#include "engine/core/time.h"
#include "operators/window/varint.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace streamd {

void ValueWindow::forget_oldest() {
  sorted_.erase(std::lower_bound(sorted_.begin(), sorted_.end(), samples_[first_].value));
  if (++first_ * 2 < samples_.size()) return;
  samples_.erase(samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(first_));
  first_ = 0;
}

void ValueWindow::advance(std::int64_t time, std::int64_t length) {
  const std::int64_t begin = saturating_sub(time, length);
  while (size() > 0 && samples_[first_].time <= begin) forget_oldest();
}

void ValueWindow::add(std::int64_t time, double value, std::int64_t length, std::size_t most) {
  if (size() > 0 && time <= saturating_sub(samples_.back().time, length)) return;
  const auto later =
      std::upper_bound(samples_.begin() + static_cast<std::ptrdiff_t>(first_), samples_.end(), time,
                       [](std::int64_t t, const Sample& s) { return t < s.time; });
  samples_.insert(later, {time, value});
  sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), value), value);
  while (size() > most) forget_oldest();
}

double ValueWindow::quantile(double q) const {
  const double at = q * static_cast<double>(sorted_.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const double part = at - static_cast<double>(below);
  if (part == 0) return sorted_[below];
  return sorted_[below] * (1 - part) + sorted_[below + 1] * part;
}

Fence ValueWindow::quartile_fence(double reach) const {
  const double first = quantile(0.25), third = quantile(0.75);
  const double margin = reach * (third - first);
  return {first - margin, third + margin};
}

Fence ValueWindow::deviation_fence(double reach) const {
  const auto count = static_cast<double>(sorted_.size());
  double mean = 0;
  for (const double value : sorted_) mean += value / count;
  double squares = 0;
  for (const double value : sorted_) squares += (value - mean) * (value - mean);
  const double margin = reach * std::sqrt(squares / (count - 1));
  return {mean - margin, mean + margin};
}

// The values nearest to the middle lie side by side, so where they begin can be searched for.
double ValueWindow::distance(double middle, std::size_t rank) const {
  std::size_t low = 0;
  for (std::size_t high = sorted_.size() - rank - 1; low < high;) {
    const std::size_t at = low + (high - low) / 2;
    if (middle - sorted_[at] > sorted_[at + rank + 1] - middle)
      low = at + 1;
    else
      high = at;
  }
  return std::max(std::abs(sorted_[low] - middle), std::abs(sorted_[low + rank] - middle));
}

Centre ValueWindow::robust_centre() const {
  constexpr double kNormal = 1.4826;
  const double median = quantile(0.5);
  const std::size_t half = sorted_.size() / 2;
  double spread = distance(median, half);
  if (sorted_.size() % 2 == 0) spread = (spread + distance(median, half - 1)) / 2;
  return {median, kNormal * spread};
}

void ValueWindow::encode(std::string& out) const {
  window::put_varint(out, size());
  std::int64_t before = 0;
  for (std::size_t i = first_; i < samples_.size(); ++i) {
    const Sample& sample = samples_[i];
    window::put_signed(out, saturating_sub(sample.time, before));
    before = sample.time;
    char bytes[sizeof sample.value];
    std::memcpy(bytes, &sample.value, sizeof bytes);
    out.append(bytes, sizeof bytes);
  }
}

bool ValueWindow::decode(std::string_view in) {
  std::uint64_t count = 0;
  if (!window::take_varint(in, count)) return false;
  std::int64_t time = 0;
  for (; count > 0; --count) {
    std::int64_t after = 0;
    Sample sample{};
    if (!window::take_signed(in, after) || in.size() < sizeof sample.value) return false;
    sample.time = time = saturating_add(time, after);
    std::memcpy(&sample.value, in.data(), sizeof sample.value);
    in.remove_prefix(sizeof sample.value);
    if (!std::isfinite(sample.value) || (!samples_.empty() && sample.time < samples_.back().time))
      return false;
    samples_.push_back(sample);
    sorted_.push_back(sample.value);
  }
  std::sort(sorted_.begin(), sorted_.end());
  return in.empty();
}

}  // namespace streamd
