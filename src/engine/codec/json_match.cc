// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/json_match.h"

#include "engine/codec/json_text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>

#ifdef __SSE2__
#include <immintrin.h>
#endif

namespace streamd {
namespace {

using Step = JsonShape::Step;

// What strings are searched for. Handed around as an address that the compiler knows nothing about,
// so that it stays in registers; constants would be built again for every string.
struct Marks {
  constexpr Marks(char two, char exclamation, char backslash) {
    flip.fill(two);
    over.fill(exclamation);
    escape.fill(backslash);
  }
  std::array<char, 32> flip{}, over{}, escape{};
};
constexpr Marks kMarks('\2', '!', '\\');

// How 32 bytes are looked at. stops(): a bit for each byte that is a quote, a backslash, a control
// character or not ASCII. same(): whether the bytes are those of the step's literal, as far as
// these 32 go. (A byte, as a signed number with its second bit flipped, is below '!' just if it is
// a quote, a control character or not ASCII.)
struct Bytes {
  explicit Bytes(const Marks&) {}
  static std::uint32_t stops(const char* p) {
    for (unsigned i = 0; i < 32; ++i) {
      const char c = p[i];
      if (c == '"' || c == '\\' || static_cast<signed char>(c) < 0x20) return 1u << i;
    }
    return 0;
  }
  template <class... P>
  static bool same(const Step& step, P... p) {
    const std::size_t size = std::min<std::size_t>(step.size, 32);
    return ((std::memcmp(p, step.literal.data(), size) == 0) && ...);
  }
};

#ifdef __SSE2__
class Sse2 {
 public:
  explicit Sse2(const Marks& marks)
      : flip_(load(marks.flip.data())),
        over_(load(marks.over.data())),
        escape_(load(marks.escape.data())) {}
  std::uint32_t stops(const char* p) const { return stops16(p) | stops16(p + 16) << 16; }
  template <class... P>
  static bool same(const Step& step, P... p) {
    const std::uint32_t low = same16(step.literal.data(), p...);
    const std::uint32_t high = same16(step.literal.data() + 16, p + 16 ...);
    return (step.mask & ~(low | high << 16)) == 0;
  }

 private:
  static __m128i load(const char* p) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  }
  static std::uint32_t bits(__m128i v) { return static_cast<std::uint32_t>(_mm_movemask_epi8(v)); }
  template <class... P>
  static std::uint32_t same16(const char* literal, P... p) {
    const __m128i wanted = load(literal);
    __m128i same = _mm_cmpeq_epi8(wanted, wanted);
    ((same = _mm_and_si128(same, _mm_cmpeq_epi8(load(p), wanted))), ...);
    return bits(same);
  }
  std::uint32_t stops16(const char* p) const {
    const __m128i v = load(p);
    return bits(
        _mm_or_si128(_mm_cmpgt_epi8(over_, _mm_xor_si128(v, flip_)), _mm_cmpeq_epi8(v, escape_)));
  }

  __m128i flip_, over_, escape_;
};

class Avx2 {
 public:
  [[gnu::target("avx2")]] explicit Avx2(const Marks& marks)
      : flip_(load(marks.flip.data())),
        over_(load(marks.over.data())),
        escape_(load(marks.escape.data())) {}
  [[gnu::target("avx2")]] std::uint32_t stops(const char* p) const {
    const __m256i v = load(p);
    return bits(_mm256_or_si256(_mm256_cmpgt_epi8(over_, _mm256_xor_si256(v, flip_)),
                                _mm256_cmpeq_epi8(v, escape_)));
  }
  template <class... P>
  [[gnu::target("avx2")]] static bool same(const Step& step, P... p) {
    const __m256i wanted = load(step.literal.data());
    __m256i same = _mm256_cmpeq_epi8(wanted, wanted);
    ((same = _mm256_and_si256(same, _mm256_cmpeq_epi8(load(p), wanted))), ...);
    return (step.mask & ~bits(same)) == 0;
  }

 private:
  [[gnu::target("avx2")]] static __m256i load(const char* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  [[gnu::target("avx2")]] static std::uint32_t bits(__m256i v) {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(v));
  }

  __m256i flip_, over_, escape_;
};
#endif

constexpr bool ends_scalar(char c) { return c == ',' || c == '}' || is_json_space(c); }

// One record being matched. Between steps p is at most at the end; a literal moves it by 32 bytes
// or less before the next look at 32, so nothing behind the padding is read.
struct Cursor {
  const char* p;
  const char* end;
  std::size_t row;
};

template <class Look>
[[gnu::always_inline]] inline bool take_string(Cursor& at, const Step& step, const Look& look,
                                               Value* const* cells) {
  const char* const begin = at.p;
  std::uint32_t stops = look.stops(at.p);
  while (stops == 0) [[unlikely]] {
      at.p += 32;
      if (at.p >= at.end) return false;
      stops = look.stops(at.p);
    }
  // The next literal begins with the quote, if it is one.
  at.p += std::countr_zero(std::uint64_t{stops});
  if (step.slot >= 0) {
    cells[step.slot][at.row] = Value::string({begin, static_cast<std::size_t>(at.p - begin)});
  }
  return at.p < at.end;
}

// A number, true, false or null. What may stand behind it is the next literal's.
bool take_scalar(Cursor& at, const Step& step, Value* const* cells) {
  const char* const begin = at.p;
  while (at.p < at.end && !ends_scalar(*at.p)) ++at.p;
  const std::string_view text(begin, static_cast<std::size_t>(at.p - begin));
  Value value;
  if (text == "true" || text == "false") {
    value = Value::boolean(text[0] == 't');
  } else if (text == "null") {
    value = Value::null();
  } else if (!read_json_number(text, &value)) {
    return false;
  }
  if (step.slot >= 0) cells[step.slot][at.row] = value;
  return true;
}

#ifdef __SSE2__
using Always = Sse2;
#else
using Always = Bytes;
#endif

// Any step of one record.
bool take(Cursor& at, const Step& step, Value* const* cells) {
  if (!Always::same(step, at.p) || at.end - at.p < std::ptrdiff_t{step.size}) return false;
  if (step.size > 32 && std::memcmp(at.p + 32, step.text + 32, step.size - 32) != 0) return false;
  at.p += step.size;
  switch (step.value) {
    case Step::Value::none: return at.p == at.end;
    case Step::Value::scalar: return take_scalar(at, step, cells);
    case Step::Value::string: return take_string(at, step, Always(kMarks), cells);
  }
  return false;
}

// Usual steps of several records, each of which has to wait for its own quotes: four take little
// longer than one. No calls in here, so that everything stays in registers. Returns the step before
// which it stopped, or null.
template <class Look, class... Cursors>
[[gnu::always_inline]] inline const Step* take_usual(const Step* step, const void* marks,
                                                     Value* const* cells, Cursor* moved,
                                                     Cursors... at) {
  const Look look(*static_cast<const Marks*>(marks));
  for (; step->usual; ++step) {
    if (!Look::same(*step, at.p...)) return nullptr;
    ((at.p += step->size), ...);
    if (!(take_string(at, *step, look, cells) && ...)) return nullptr;
  }
  ((*moved++ = at), ...);
  return step;
}

using Usual = const Step* (*)(const Step*, const void*, Value* const*, Cursor*);

struct Usuals {
  Usual one;
  Usual together;
};

template <class Look>
const Step* one_with(const Step* step, const void* marks, Value* const* cells, Cursor* at) {
  return take_usual<Look>(step, marks, cells, at, at[0]);
}
template <class Look>
const Step* together_with(const Step* step, const void* marks, Value* const* cells, Cursor* at) {
  static_assert(kMatchedTogether == 4);
  return take_usual<Look>(step, marks, cells, at, at[0], at[1], at[2], at[3]);
}
#ifdef __SSE2__
[[gnu::target("avx2"), gnu::flatten]] const Step* one_avx2(const Step* step, const void* marks,
                                                           Value* const* cells, Cursor* at) {
  return one_with<Avx2>(step, marks, cells, at);
}
[[gnu::target("avx2"), gnu::flatten]] const Step* together_avx2(const Step* step, const void* marks,
                                                                Value* const* cells, Cursor* at) {
  return together_with<Avx2>(step, marks, cells, at);
}
#endif

Usuals usuals_of(JsonShapes::Look look) {
#ifdef __SSE2__
  if (look == JsonShapes::Look::sse2) return {one_with<Sse2>, together_with<Sse2>};
  if (look == JsonShapes::Look::avx2) return {one_avx2, together_avx2};
#else
  static_cast<void>(look);
#endif
  return {one_with<Bytes>, together_with<Bytes>};
}

bool match(const Step* step, Usual usual, Value* const* cells, std::span<Cursor> at) {
  for (;; ++step) {
    if (step->usual) step = usual(step, &kMarks, cells, at.data());
    if (step == nullptr) return false;
    for (Cursor& cursor : at) {
      if (!take(cursor, *step, cells)) return false;
    }
    if (step->value == Step::Value::none) return true;
  }
}

}  // namespace

std::size_t match_records(JsonShapes::Look look, const JsonShape::Steps& steps,
                          const RawRecord* records, std::size_t count, const char* bytes,
                          Value* const* cells, std::size_t row) {
  const Usuals usuals = usuals_of(look);
  const auto next = [&](std::size_t n) {
    const std::string_view data = records[n].data;
    const char* const begin = bytes == nullptr ? data.data() : bytes;
    if (bytes != nullptr) bytes += data.size();
    return Cursor{begin, begin + data.size(), row + n};
  };
  std::array<Cursor, kMatchedTogether> at;
  std::size_t n = 0;
  while (count - n >= at.size() && std::all_of(records + n, records + n + at.size(), may_match)) {
    const char* const before = bytes;
    for (std::size_t i = 0; i < at.size(); ++i) at[i] = next(n + i);
    if (!match(steps.data(), usuals.together, cells, at)) {
      bytes = before;
      break;
    }
    n += at.size();
  }
  for (; n < count && may_match(records[n]); ++n) {
    at[0] = next(n);
    if (!match(steps.data(), usuals.one, cells, {at.data(), 1})) break;
  }
  return n;
}

}  // namespace streamd
