// SPDX-License-Identifier: Apache-2.0
#include "operators/window/aggregate_parts.h"

#include "engine/core/key.h"
#include "operators/window/value_order.h"
#include "operators/window/varint.h"

#include <absl/container/btree_map.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace streamd::window {
namespace {

using Extremes = absl::btree_map<std::string, std::int64_t, EncodedLess>;
struct Stamped {
  std::int64_t time = 0;
  std::uint64_t arrival = 0;
  std::string value;
};
using Timeline = absl::btree_map<std::pair<std::int64_t, std::uint64_t>, std::string>;
using Sketch = absl::btree_map<std::int32_t, std::int64_t>;

template <class T>
T* get(Word word) {
  return reinterpret_cast<T*>(word);
}
template <class T>
T& make(Word& word) {
  if (word == 0) word = reinterpret_cast<Word>(new T);
  return *get<T>(word);
}
template <class T>
void release(Word& word) {
  delete get<T>(word);
  word = 0;
}

// More than this is no count that was ever written.
constexpr std::uint64_t kCountLimit = std::uint64_t{1} << 48;

std::string encode_value(const Value& value) {
  std::string bytes;
  append_key(value, bytes);
  return bytes;
}

Value copy_value(std::string_view encoded, Arena& arena) {
  return decode_value(arena.copy(encoded));
}

// Buckets of DDSketch with 1 % relative accuracy: bucket i holds (g^(i-1), g^i]. Values of both
// signs and zero share one line: positive i + kShift, zero 0, negative -(i + kShift).
const double kGamma = 1.01 / 0.99;
const double kLogGamma = std::log(kGamma);
constexpr std::int32_t kShift = 1 << 20;

std::int32_t bucket_of(double value) {
  if (value == 0) return 0;
  const auto i = static_cast<std::int32_t>(std::ceil(std::log(std::fabs(value)) / kLogGamma));
  return value > 0 ? i + kShift : -(i + kShift);
}
double value_of(std::int32_t bucket) {
  if (bucket == 0) return 0;
  const std::int32_t i = std::abs(bucket) - kShift;
  // 2 g^i / (g + 1), in an order that cannot overflow for the largest double.
  const double middle = std::exp(kLogGamma * (i - 1)) * (2 * kGamma / (kGamma + 1));
  return bucket > 0 ? middle : -middle;
}

}  // namespace

void add_extreme(Word& part, const Value& value, bool max) {
  std::string bytes = encode_value(value);
  const bool first = part == 0;
  auto& best = make<std::string>(part);
  const int order = first ? 0 : compare_encoded(bytes, best);
  if (first || (max ? order > 0 : order < 0)) best = std::move(bytes);
}
void merge_extreme(Word& part, Word other, bool max) {
  if (other == 0) return;
  const bool first = part == 0;
  auto& best = make<std::string>(part);
  const auto& bytes = *get<std::string>(other);
  const int order = first ? 0 : compare_encoded(bytes, best);
  if (first || (max ? order > 0 : order < 0)) best = bytes;
}
void enter_extreme(Word& running, Word part) {
  if (part != 0) ++make<Extremes>(running)[*get<std::string>(part)];
}
void leave_extreme(Word& running, Word part) {
  if (part == 0 || running == 0) return;
  auto& all = *get<Extremes>(running);
  const auto found = all.find(*get<std::string>(part));
  if (found != all.end() && --found->second == 0) all.erase(found);
  if (all.empty()) release<Extremes>(running);
}
Value extreme_part_result(Word part, Arena& arena) {
  return part == 0 ? Value::null() : copy_value(*get<std::string>(part), arena);
}
Value extreme_running_result(Word running, bool max, Arena& arena) {
  if (running == 0) return Value::null();
  const auto& all = *get<Extremes>(running);
  return copy_value(max ? all.rbegin()->first : all.begin()->first, arena);
}
void encode_extreme(Word part, std::string& out) {
  put_text(out, part == 0 ? std::string_view{} : std::string_view(*get<std::string>(part)));
}
bool decode_extreme(std::string_view& in, Word& part) {
  std::string_view text;
  if (!take_text(in, text)) return false;
  if (text.empty()) return true;
  if (!is_one_value(text)) return false;
  make<std::string>(part) = text;
  return true;
}
void free_extreme_part(Word& part) { release<std::string>(part); }
void free_extreme_running(Word& running) { release<Extremes>(running); }

namespace {
bool better(const Stamped& a, const Stamped& b, bool last) {
  const auto x = std::pair(a.time, a.arrival);
  const auto y = std::pair(b.time, b.arrival);
  return last ? x > y : x < y;
}
}  // namespace

void add_stamped(Word& part, const Value& value, std::int64_t time, std::uint64_t arrival,
                 bool last) {
  Stamped stamped{time, arrival, {}};
  if (part != 0 && !better(stamped, *get<Stamped>(part), last)) return;
  append_key(value, stamped.value);
  make<Stamped>(part) = std::move(stamped);
}
void merge_stamped(Word& part, Word other, bool last) {
  if (other == 0) return;
  if (part == 0 || better(*get<Stamped>(other), *get<Stamped>(part), last))
    make<Stamped>(part) = *get<Stamped>(other);
}
void enter_stamped(Word& running, Word part) {
  if (part == 0) return;
  const auto& stamped = *get<Stamped>(part);
  make<Timeline>(running)[{stamped.time, stamped.arrival}] = stamped.value;
}
void leave_stamped(Word& running, Word part) {
  if (part == 0 || running == 0) return;
  const auto& stamped = *get<Stamped>(part);
  auto& all = *get<Timeline>(running);
  all.erase({stamped.time, stamped.arrival});
  if (all.empty()) release<Timeline>(running);
}
Value stamped_part_result(Word part, Arena& arena) {
  return part == 0 ? Value::null() : copy_value(get<Stamped>(part)->value, arena);
}
Value stamped_running_result(Word running, bool last, Arena& arena) {
  if (running == 0) return Value::null();
  const auto& all = *get<Timeline>(running);
  return copy_value(last ? all.rbegin()->second : all.begin()->second, arena);
}
void encode_stamped(Word part, std::string& out) {
  out.push_back(part == 0 ? 0 : 1);
  if (part == 0) return;
  const auto& stamped = *get<Stamped>(part);
  put_signed(out, stamped.time);
  put_varint(out, stamped.arrival);
  put_text(out, stamped.value);
}
bool decode_stamped(std::string_view& in, Word& part, std::uint64_t& arrival) {
  if (in.empty() || static_cast<unsigned char>(in.front()) > 1) return false;
  const bool present = in.front() == 1;
  in.remove_prefix(1);
  if (!present) return true;
  Stamped stamped;
  std::string_view text;
  if (!take_signed(in, stamped.time) || !take_varint(in, stamped.arrival) || !take_text(in, text) ||
      !is_one_value(text))
    return false;
  stamped.value = text;
  arrival = std::max(arrival, stamped.arrival);
  make<Stamped>(part) = std::move(stamped);
  return true;
}
void free_stamped_part(Word& part) { release<Stamped>(part); }
void free_stamped_running(Word& running) { release<Timeline>(running); }

void add_sketched(Word& at, const Value& value) {
  double d = 0;
  switch (value.kind()) {
    case Kind::int64: d = static_cast<double>(value.as_int()); break;
    case Kind::uint64: d = static_cast<double>(value.as_uint()); break;
    default: d = value.as_double();
  }
  ++make<Sketch>(at)[bucket_of(d)];
}
void combine_sketched(Word& at, Word other, int sign) {
  if (other == 0) return;
  auto& all = make<Sketch>(at);
  for (const auto& [bucket, count] : *get<Sketch>(other)) {
    const auto found = all.try_emplace(bucket, 0).first;
    found->second += sign * count;
    if (found->second == 0) all.erase(found);
  }
  if (all.empty()) release<Sketch>(at);
}
Value sketched_quantile(Word at, double q) {
  if (at == 0) return Value::null();
  const auto& all = *get<Sketch>(at);
  std::int64_t n = 0;
  for (const auto& [bucket, count] : all) n += count;
  const auto rank = static_cast<std::int64_t>(std::floor(q * static_cast<double>(n - 1)));
  std::int64_t seen = 0;
  for (const auto& [bucket, count] : all) {
    seen += count;
    if (seen > rank) return Value::float64(value_of(bucket));
  }
  return Value::float64(value_of(all.rbegin()->first));
}
void encode_sketched(Word at, std::string& out) {
  put_varint(out, at == 0 ? 0 : get<Sketch>(at)->size());
  if (at == 0) return;
  for (const auto& [bucket, count] : *get<Sketch>(at)) {
    put_signed(out, bucket);
    put_varint(out, static_cast<std::uint64_t>(count));
  }
}
bool decode_sketched(std::string_view& in, Word& at) {
  std::uint64_t n = 0;
  if (!take_varint(in, n) || n > in.size()) return false;
  for (; n > 0; --n) {
    std::int64_t bucket = 0;
    std::uint64_t count = 0;
    if (!take_signed(in, bucket) || !take_varint(in, count) || count == 0 || count > kCountLimit ||
        bucket > 2 * kShift || bucket < -2 * kShift)
      return false;
    make<Sketch>(at)[static_cast<std::int32_t>(bucket)] = static_cast<std::int64_t>(count);
  }
  return true;
}
void free_sketched(Word& at) { release<Sketch>(at); }

}  // namespace streamd::window
