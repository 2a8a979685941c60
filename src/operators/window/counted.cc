// SPDX-License-Identifier: Apache-2.0
#include "operators/window/counted.h"

#include "engine/codec/encode.h"
#include "engine/core/fetch_line.h"
#include "operators/window/value_order.h"
#include "operators/window/varint.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

namespace streamd::window {
namespace {

// Room for 3, 7, 15, 31 or 63 values, so that a block has 32 to 512 bytes.
struct Few {
  std::uint32_t size = 0;
  std::uint32_t room = 0;

  std::uint32_t* numbers() { return reinterpret_cast<std::uint32_t*>(this + 1); }
  std::uint32_t* counts() { return numbers() + room; }
};
using Many = absl::flat_hash_map<std::uint32_t, std::int64_t>;

constexpr std::uint32_t kLeastRoom = 3;
constexpr std::uint32_t kMostRoom = 63;
constexpr std::uint64_t kMostCount = UINT32_MAX;  // of a value that is not in a Many
constexpr std::uint32_t kMostNumber = INT32_MAX;  // of a value that is the word itself
// More than this is no count that was ever written.
constexpr std::uint64_t kCountLimit = std::uint64_t{1} << 48;

bool is_one(Word at) { return (at & 1) != 0; }
bool is_many(Word at) { return (at & 3) == 2; }
std::uint32_t one_number(Word at) { return static_cast<std::uint32_t>(at) >> 1; }
std::uint64_t one_count(Word at) { return at >> 32; }
Word one(std::uint32_t number, std::uint64_t count) {
  return (count << 32) | (Word{number} << 1) | 1;
}
Few& few_of(Word at) { return *reinterpret_cast<Few*>(at); }
Many& many_of(Word at) { return *reinterpret_cast<Many*>(at - 2); }

Few* make_few(std::uint32_t room) {
  void* const block = ::operator new(sizeof(Few) + room * 2 * sizeof(std::uint32_t));
  return new (block) Few{0, room};
}
void push(Few& few, std::uint32_t number, std::uint64_t count) {
  few.numbers()[few.size] = number;
  few.counts()[few.size++] = static_cast<std::uint32_t>(count);
}

void free_word(Word& at) {
  if (is_many(at))
    delete &many_of(at);
  else if (!is_one(at) && at != 0)
    ::operator delete(&few_of(at));
  at = 0;
}

// visit(number, count)
template <class Visit>
void each(Word at, Visit&& visit) {
  if (at == 0) return;
  if (is_one(at)) {
    visit(one_number(at), static_cast<std::int64_t>(one_count(at)));
  } else if (is_many(at)) {
    for (const auto& [number, count] : many_of(at)) visit(number, count);
  } else {
    Few& few = few_of(at);
    for (std::uint32_t i = 0; i < few.size; ++i)
      visit(few.numbers()[i], static_cast<std::int64_t>(few.counts()[i]));
  }
}

void become_few(Word& at, std::uint32_t room) {
  Few* const few = make_few(room);
  each(at, [&](std::uint32_t number, std::int64_t count) {
    push(*few, number, static_cast<std::uint64_t>(count));
  });
  free_word(at);
  at = reinterpret_cast<Word>(few);
}

Many& become_many(Word& at) {
  auto* const many = new Many;
  many->reserve(counted_size(at) + 1);
  each(at, [&](std::uint32_t number, std::int64_t count) { many->emplace(number, count); });
  free_word(at);
  at = reinterpret_cast<Word>(many) + 2;
  return *many;
}

// Position of the number, or the size. Eight at a time: what of them is behind the last number, or
// is a count already, is in the block all the same.
std::uint32_t find(Few& few, std::uint32_t number) {
  using Four __attribute__((vector_size(16))) = std::int32_t;
  const std::uint32_t* const numbers = few.numbers();
  if (few.room == kLeastRoom) {
    std::uint32_t i = 0;
    while (i < few.size && numbers[i] != number) ++i;
    return i;
  }
  constexpr Four kFront = {1, 2, 3, 4}, kBack = {5, 6, 7, 8};
  const Four wanted = Four{} + static_cast<std::int32_t>(number);
  for (std::uint32_t i = 0; i < few.size; i += 8) {
    Four front, back;
    std::memcpy(&front, numbers + i, sizeof front);
    std::memcpy(&back, numbers + i + 4, sizeof back);
    const Four left = Four{} + static_cast<std::int32_t>(few.size - i);
    const Four places = ((front == wanted) & (kFront <= left) & kFront) |
                        ((back == wanted) & (kBack <= left) & kBack);
    std::uint64_t halves[2];
    std::memcpy(halves, &places, sizeof halves);
    const std::uint64_t both = halves[0] | halves[1];
    if (both != 0) return i + static_cast<std::uint32_t>(both | both >> 32) - 1;
  }
  return few.size;
}

// True: it was not there.
bool plus_many(Many& many, std::uint32_t number, std::uint64_t count) {
  const auto [place, fresh] = many.try_emplace(number, 0);
  place->second += static_cast<std::int64_t>(count);
  return fresh;
}

// True: it was not there.
bool plus_few(Word& at, std::uint32_t number, std::uint64_t count) {
  Few* few = &few_of(at);
  const std::uint32_t i = find(*few, number);
  const bool fresh = i == few->size;
  const std::uint64_t sum = count + (fresh ? 0 : few->counts()[i]);
  if (sum <= kMostCount && !fresh) {
    few->counts()[i] = static_cast<std::uint32_t>(sum);
    return false;
  }
  if (sum <= kMostCount && few->size < kMostRoom) {
    if (few->size == few->room) {
      become_few(at, few->room * 2 + 1);
      few = &few_of(at);
    }
    push(*few, number, count);
    return true;
  }
  return plus_many(become_many(at), number, count);
}

bool plus(Word& at, std::uint32_t number, std::uint64_t count) {
  if (at == 0 && number <= kMostNumber && count <= kMostCount) {
    at = one(number, count);
    return true;
  }
  if (is_one(at) && one_number(at) == number && one_count(at) + count <= kMostCount) {
    at += count << 32;
    return false;
  }
  if (is_many(at)) return plus_many(many_of(at), number, count);
  if (at == 0 || is_one(at)) become_few(at, kLeastRoom);
  return plus_few(at, number, count);
}

// The number is there, with at least this count.
void minus(Word& at, std::uint32_t number, std::uint64_t count) {
  if (is_one(at)) {
    if (one_number(at) != number) return;
    at = one_count(at) > count ? at - (count << 32) : 0;
  } else if (is_many(at)) {
    Many& many = many_of(at);
    const auto place = many.find(number);
    if (place == many.end()) return;
    place->second -= static_cast<std::int64_t>(count);
    if (place->second <= 0) many.erase(place);
    if (many.empty()) free_word(at);
  } else if (at != 0) {
    Few& few = few_of(at);
    const std::uint32_t i = find(few, number);
    if (i == few.size) return;
    if (few.counts()[i] > count) {
      few.counts()[i] -= static_cast<std::uint32_t>(count);
      return;
    }
    --few.size;
    few.numbers()[i] = few.numbers()[few.size];
    few.counts()[i] = few.counts()[few.size];
    if (few.size == 0) free_word(at);
  }
}

// c * log2(c), the weight of a value that was there c times.
double weight(std::int64_t count) {
  const auto c = static_cast<double>(count);
  return c * std::log2(c);
}
constexpr std::size_t kSmallCounts = 64;
const std::array<double, kSmallCounts> kWeights = [] {
  std::array<double, kSmallCounts> weights{};
  for (std::size_t c = 1; c < kSmallCounts; ++c) weights[c] = weight(static_cast<std::int64_t>(c));
  return weights;
}();

}  // namespace

void add_counted(Word& part, std::uint32_t number, DistinctValues& values) {
  if (plus(part, number, 1)) values.hold(number);
}

void add_counted_running(Word& running, std::uint32_t number) { plus(running, number, 1); }

void merge_counted(Word& part, Word other, DistinctValues& values) {
  each(other, [&](std::uint32_t number, std::int64_t count) {
    if (plus(part, number, static_cast<std::uint64_t>(count))) values.hold(number);
  });
}

void free_counted_part(Word& part, DistinctValues& values) {
  each(part, [&](std::uint32_t number, std::int64_t) { values.release(number); });
  free_word(part);
}

bool decode_counted(std::string_view& in, Word& part, DistinctValues& values) {
  std::uint64_t n = 0;
  if (!take_varint(in, n) || n > in.size()) return false;
  for (; n > 0; --n) {
    std::string_view text;
    std::uint64_t count = 0;
    if (!take_text(in, text) || !take_varint(in, count) || count == 0 || count > kCountLimit ||
        !is_one_value(text))
      return false;
    const std::uint32_t number = values.number_of(text);
    if (!plus(part, number, count)) return false;
    values.hold(number);
  }
  return true;
}

void enter_counted(Word& running, Word part) {
  each(part, [&](std::uint32_t number, std::int64_t count) {
    plus(running, number, static_cast<std::uint64_t>(count));
  });
}

void leave_counted(Word& running, Word part) {
  each(part, [&](std::uint32_t number, std::int64_t count) {
    minus(running, number, static_cast<std::uint64_t>(count));
  });
}

void free_counted_running(Word& running) { free_word(running); }

void fetch_counted(Word at, std::uint32_t number) {
  if (at == 0 || is_one(at)) return;
  if (is_many(at)) return many_of(at).prefetch(number);
  const char* const block = reinterpret_cast<const char*>(at);
  fetch_line(block);
  fetch_line(block + 64);
}

std::size_t counted_size(Word at) {
  if (at == 0) return 0;
  if (is_one(at)) return 1;
  return is_many(at) ? many_of(at).size() : few_of(at).size;
}

Value counted_top(Word at, std::size_t k, const DistinctValues& values, Arena& arena) {
  using Item = std::pair<std::int64_t, std::uint32_t>;
  std::vector<Item> items;
  items.reserve(counted_size(at));
  each(at, [&](std::uint32_t number, std::int64_t count) { items.emplace_back(count, number); });
  k = std::min(k, items.size());
  std::partial_sort(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(k), items.end(),
                    [&](const Item& a, const Item& b) {
                      if (a.first != b.first) return a.first > b.first;
                      return compare_encoded(values.encoded(a.second), values.encoded(b.second)) <
                             0;
                    });
  std::string json = "[";
  for (std::size_t i = 0; i < k; ++i) {
    json += i == 0 ? "{\"value\":" : ",{\"value\":";
    append_json(decode_value(values.encoded(items[i].second)), json);
    json += ",\"count\":" + std::to_string(items[i].first) + "}";
  }
  json += "]";
  return Value::json(arena.copy(json));
}

// Terms in order of size, so that the same values give the same bits whatever their order.
Value counted_entropy(Word at) {
  if (at == 0) return Value::null();
  if (counted_size(at) == 1) return Value::float64(0);
  std::array<std::uint32_t, kSmallCounts> small{};
  std::size_t most = 0;
  std::vector<std::int64_t> large;
  each(at, [&](std::uint32_t, std::int64_t count) {
    const auto c = static_cast<std::size_t>(count);
    if (c >= kSmallCounts) return large.push_back(count);
    ++small[c];
    most = std::max(most, c);
  });
  std::sort(large.begin(), large.end());
  double all = 0, weighted = 0;
  for (std::size_t c = 1; c <= most; ++c) {
    all += static_cast<double>(c) * small[c];
    for (std::uint32_t times = small[c]; times > 0; --times) weighted += kWeights[c];
  }
  for (const std::int64_t count : large) {
    all += static_cast<double>(count);
    weighted += weight(count);
  }
  return Value::float64(std::max(0.0, std::log2(all) - weighted / all));
}

void encode_counted(Word at, const DistinctValues& values, std::string& out) {
  put_varint(out, counted_size(at));
  each(at, [&](std::uint32_t number, std::int64_t count) {
    put_text(out, values.encoded(number));
    put_varint(out, static_cast<std::uint64_t>(count));
  });
}

}  // namespace streamd::window
