// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/json_shape.h"

#include "engine/codec/decoders.h"
#include "engine/codec/json_text.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#ifdef __SSE2__
#include <immintrin.h>
#endif

namespace streamd {
namespace {

using Step = JsonShape::Step;

constexpr std::size_t kMaxValues = 256;
constexpr std::size_t kMaxRecord = std::size_t{1} << 24;
// Trying in vain costs less than a match saves: shapes rest when fewer than half of the records
// match.
constexpr int kTrials = 8;
constexpr int kMaxCredit = 64;
constexpr std::uint32_t kRest = 1024;
constexpr std::uint32_t kMaxPatience = 1024;
constexpr std::size_t kCopied = 16;

// What strings are searched for. Handed around as an address, so that the compiler uses it from
// memory; constants it would build again for every string, at twice the price of the search.
struct alignas(32) Marks {
  constexpr Marks(char two, char space, char backslash) {
    flip.fill(two);
    blank.fill(space);
    escape.fill(backslash);
  }
  std::array<char, 32> flip{}, blank{}, escape{};
};
constexpr Marks kMarks('\2', ' ', '\\');

// How 32 bytes are looked at. stops(): a bit for each byte that is a quote, a backslash, a control
// character or not ASCII. same(): whether the bytes are those of the step's literal, as far as
// these 32 go. (A byte, as a signed number with its second bit flipped, is at most a blank just if
// it is a quote, a control character or not ASCII.)
struct Bytes {
  static std::uint32_t stops(const char* p, const Marks&) {
    for (unsigned i = 0; i < 32; ++i) {
      const char c = p[i];
      if (c == '"' || c == '\\' || static_cast<signed char>(c) < 0x20) return 1u << i;
    }
    return 0;
  }
  static bool same(const char* p, const Step& step) {
    return std::memcmp(p, step.literal.data(), std::min<std::size_t>(step.size, 32)) == 0;
  }
};

#ifdef __SSE2__
struct Sse2 {
  static std::uint32_t plain16(const char* p, const Marks& marks) {
    const auto load = [](const char* at) {
      return _mm_load_si128(reinterpret_cast<const __m128i*>(at));
    };
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i over =
        _mm_cmpgt_epi8(_mm_xor_si128(v, load(marks.flip.data())), load(marks.blank.data()));
    const __m128i escape = _mm_cmpeq_epi8(v, load(marks.escape.data()));
    return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_andnot_si128(escape, over)));
  }
  static std::uint32_t stops(const char* p, const Marks& marks) {
    return ~(plain16(p, marks) | plain16(p + 16, marks) << 16);
  }
  static std::uint32_t same16(const char* p, const char* literal) {
    return static_cast<std::uint32_t>(_mm_movemask_epi8(
        _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)),
                       _mm_load_si128(reinterpret_cast<const __m128i*>(literal)))));
  }
  static bool same(const char* p, const Step& step) {
    const char* const literal = step.literal.data();
    return (step.mask & ~(same16(p, literal) | same16(p + 16, literal + 16) << 16)) == 0;
  }
};

struct Avx2 {
  [[gnu::target("avx2")]] static std::uint32_t stops(const char* p, const Marks& marks) {
    const auto* const mark = reinterpret_cast<const __m256i*>(&marks);
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const __m256i over = _mm256_cmpgt_epi8(_mm256_xor_si256(v, _mm256_load_si256(mark)),
                                           _mm256_load_si256(mark + 1));
    const __m256i escape = _mm256_cmpeq_epi8(v, _mm256_load_si256(mark + 2));
    return ~static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_andnot_si256(escape, over)));
  }
  [[gnu::target("avx2")]] static bool same(const char* p, const Step& step) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const __m256i literal =
        _mm256_load_si256(reinterpret_cast<const __m256i*>(step.literal.data()));
    return (step.mask &
            ~static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, literal)))) == 0;
  }
};
#endif

constexpr bool ends_scalar(char c) { return c == ',' || c == '}' || is_json_space(c); }

// One record being matched. Between steps p is at most 31 bytes behind the end and every look takes
// 32 bytes, so nothing behind the padding is read.
struct Cursor {
  Cursor(const RawRecord& record, const char* bytes, std::size_t at)
      : p(bytes), end(bytes + record.data.size()), moved(record.data.data() - bytes), row(at) {}
  const char* p;
  const char* end;
  std::ptrdiff_t moved;  // from the bytes looked at to the record's own
  std::size_t row;
};

template <class Look>
[[gnu::always_inline]] inline bool take_literal(Cursor& at, const Step& step) {
  if (!Look::same(at.p, step) || at.end - at.p < std::ptrdiff_t{step.size}) return false;
  at.p += step.size;
  return true;
}

bool same_rest(const Cursor& at, const Step& step) {
  return std::memcmp(at.p + 32 - step.size, step.text + 32, step.size - 32) == 0;
}

template <class Look>
[[gnu::always_inline]] inline bool take_string(Cursor& at, const Step& step, const Marks& marks,
                                               Value* const* cells) {
  const char* const begin = at.p;
  std::uint32_t stops = Look::stops(at.p, marks);
  while (stops == 0) {
    at.p += 32;
    if (at.p >= at.end) return false;
    stops = Look::stops(at.p, marks);
  }
  // The next literal begins with the quote, if it is one.
  at.p += static_cast<unsigned>(std::countr_zero(stops));
  if (step.slot >= 0) {
    cells[step.slot][at.row] =
        Value::string({begin + at.moved, static_cast<std::size_t>(at.p - begin)});
  }
  return true;
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

// Several records in step: each has to wait for its own quotes, so that two take little longer than
// one.
template <class Look, class... Cursors>
[[gnu::always_inline]] inline bool match_with(const Step* step, const Marks& marks,
                                              Value* const* cells, Cursors... at) {
  for (;; ++step) {
    if (!(take_literal<Look>(at, *step) && ...)) return false;
    if (!step->usual) [[unlikely]] {
      if (step->size > 32 && !(same_rest(at, *step) && ...)) return false;
      if (step->value == Step::Value::none) return ((at.p == at.end) && ...);
      if (step->value == Step::Value::scalar) {
        if (!(take_scalar(at, *step, cells) && ...)) return false;
        continue;
      }
    }
    if (!(take_string<Look>(at, *step, marks, cells) && ...)) return false;
  }
}

bool may_match(const RawRecord& record) {
  return to_decode(record) && !record.data.empty() && record.data.size() <= kMaxRecord;
}

// How many records match until one does not. copies: where their bytes stand one after the other,
// or null when they have their own padding.
template <class Look>
[[gnu::always_inline]] inline std::size_t run_with(const Step* steps, const RawRecord* records,
                                                   std::size_t count, const char* copies,
                                                   const Marks& marks, Value* const* cells,
                                                   std::size_t row) {
  std::size_t n = 0;
  const auto text_of = [&](std::size_t i) {
    const char* const copy = copies;
    if (copies == nullptr) return records[i].data.data();
    copies += records[i].data.size();
    return copy;
  };
  while (n + 2 <= count && may_match(records[n]) && may_match(records[n + 1])) {
    const char* const before = copies;
    const Cursor first(records[n], text_of(n), row + n);
    const Cursor second(records[n + 1], text_of(n + 1), row + n + 1);
    if (!match_with<Look>(steps, marks, cells, first, second)) {
      copies = before;
      break;
    }
    n += 2;
  }
  if (n < count && may_match(records[n]) &&
      match_with<Look>(steps, marks, cells, Cursor(records[n], text_of(n), row + n))) {
    ++n;
  }
  return n;
}

std::size_t run_bytes(const Step* steps, const RawRecord* records, std::size_t count,
                      const char* copies, const void* marks, Value* const* cells, std::size_t row) {
  return run_with<Bytes>(steps, records, count, copies, *static_cast<const Marks*>(marks), cells,
                         row);
}
#ifdef __SSE2__
std::size_t run_sse2(const Step* steps, const RawRecord* records, std::size_t count,
                     const char* copies, const void* marks, Value* const* cells, std::size_t row) {
  return run_with<Sse2>(steps, records, count, copies, *static_cast<const Marks*>(marks), cells,
                        row);
}
[[gnu::target("avx2"), gnu::flatten]] std::size_t run_avx2(const Step* steps,
                                                           const RawRecord* records,
                                                           std::size_t count, const char* copies,
                                                           const void* marks, Value* const* cells,
                                                           std::size_t row) {
  return run_with<Avx2>(steps, records, count, copies, *static_cast<const Marks*>(marks), cells,
                        row);
}
#endif

// The value at a token, without the white space behind it.
std::string_view scalar_at(std::string_view record, const std::uint32_t* token) {
  std::size_t end = token[1];
  while (is_json_space(record[end - 1])) --end;
  return record.substr(token[0], end - token[0]);
}

}  // namespace

JsonShape::JsonShape(std::string_view record, const std::uint32_t* tokens, std::uint32_t count,
                     JsonFields& fields) {
  // "key" : value , for each value, between { and }
  const std::size_t values = (count - 1) / 4;
  if (count != values * 4 + 1 || values == 0 || values > kMaxValues || record.size() > kMaxRecord) {
    return;
  }
  Steps steps(values + 1);
  std::size_t from = 0;  // where the literal begins
  fields.begin(0);
  for (std::size_t i = 0; i < values; ++i) {
    const std::uint32_t* const key = tokens + 1 + 4 * i;
    const char first = record[key[2]];
    if (first == '{' || first == '[') return;
    const std::string_view name = scalar_at(record, key);
    const JsonFields::Entry* const entry = fields.find(0, name.substr(1, name.size() - 2));
    const std::string_view value = scalar_at(record, key + 2);
    const bool string = first == '"';
    steps[i].slot = entry == nullptr ? -1 : entry->slot;
    steps[i].value = string ? Step::Value::string : Step::Value::scalar;
    steps[i].size = static_cast<std::uint32_t>(key[2] + (string ? 1 : 0) - from);
    text_.insert(text_.end(), record.data() + from, record.data() + from + steps[i].size);
    from = key[2] + value.size() - (string ? 1 : 0);
  }
  steps.back().size = static_cast<std::uint32_t>(record.size() - from);
  text_.insert(text_.end(), record.data() + from, record.data() + record.size());

  const char* text = text_.data();
  for (Step& step : steps) {
    const std::size_t head = std::min<std::size_t>(step.size, step.literal.size());
    std::copy_n(text, head, step.literal.begin());
    step.mask = static_cast<std::uint32_t>((std::uint64_t{1} << head) - 1);
    step.text = text;
    step.usual = step.value == Step::Value::string && head == step.size;
    text += step.size;
  }
  steps_ = std::move(steps);
}

bool JsonShape::operator==(const JsonShape& other) const {
  return text_ == other.text_ && std::equal(steps_.begin(), steps_.end(), other.steps_.begin(),
                                            other.steps_.end(), [](const Step& a, const Step& b) {
                                              return a.size == b.size && a.slot == b.slot &&
                                                     a.value == b.value;
                                            });
}

JsonShapes::Look JsonShapes::best_look() {
#ifdef __SSE2__
  return __builtin_cpu_supports("avx2") ? Look::avx2 : Look::sse2;
#else
  return Look::bytes;
#endif
}

JsonShapes::JsonShapes(Look look) : run_(run_bytes), credit_(kTrials) {
#ifdef __SSE2__
  if (look == Look::sse2) run_ = run_sse2;
  if (look == Look::avx2) run_ = run_avx2;
#else
  static_cast<void>(look);
#endif
}

std::size_t JsonShapes::match(const RawBatch& in, std::size_t from, std::span<Value* const> cells,
                              std::size_t row) {
  if (rest_ > 0 || shapes_[newest_].empty()) return 0;
  std::size_t done = 0;
  while (from + done < in.records.size()) {
    const RawRecord* const records = in.records.data() + from + done;
    std::size_t count = in.records.size() - from - done;
    const char* copies = nullptr;
    if (in.padding < JsonShape::kPadding) {
      count = copy(records, count);
      copies = copy_.data();
    }
    const std::size_t good = match_some(records, count, copies, cells, row + done);
    done += good;
    if (good < count || count == 0) break;
  }
  hits_ += static_cast<std::uint32_t>(done);
  return done;
}

// The first of the records, one after the other, and padding behind; how many.
std::size_t JsonShapes::copy(const RawRecord* records, std::size_t count) {
  std::size_t size = 0, n = 0;
  while (n < count && n < kCopied && may_match(records[n])) size += records[n++].data.size();
  if (copy_.size() < size + JsonShape::kPadding) copy_.resize(2 * size + JsonShape::kPadding);
  char* to = copy_.data();
  for (std::size_t i = 0; i < n; ++i) {
    to = std::copy(records[i].data.begin(), records[i].data.end(), to);
  }
  return n;
}

std::size_t JsonShapes::match_some(const RawRecord* records, std::size_t count, const char* copies,
                                   std::span<Value* const> cells, std::size_t row) {
  std::size_t done = 0;
  std::size_t tried = 0;  // shapes that refused the record at hand
  while (done < count && tried < 2 && !shapes_[newest_].empty()) {
    const std::size_t good = run_(shapes_[newest_].steps().data(), records + done, count - done,
                                  copies, &kMarks, cells.data(), row + done);
    for (std::size_t i = done; copies != nullptr && i < done + good; ++i) {
      copies += records[i].data.size();
    }
    done += good;
    tried = good > 0 ? 1 : tried + 1;
    if (done == count) break;
    newest_ = 1 - newest_;
    // What the last two left there.
    for (Value* const cell : cells) {
      for (std::size_t i = done; i < std::min(done + 2, count); ++i)
        cell[row + i] = Value::missing();
    }
  }
  if (shapes_[newest_].empty()) newest_ = 1 - newest_;
  return done;
}

bool JsonShapes::worth_learning() {
  if (rest_ > 0) {
    if (--rest_ > 0) return false;
    credit_ = kTrials;
    return true;
  }
  if (hits_ >= kMaxPatience) patience_ = 1;
  credit_ = static_cast<int>(
                std::min<std::uint32_t>(static_cast<std::uint32_t>(credit_) + hits_, kMaxCredit)) -
            1;
  hits_ = 0;
  if (credit_ < 0) {
    credit_ = 0;
    rest_ = kRest;
    return false;
  }
  if (++misses_ < patience_) return false;
  patience_ = std::min(patience_ * 2, kMaxPatience);
  return true;
}

void JsonShapes::missed(std::string_view record, const std::uint32_t* tokens, std::uint32_t count,
                        JsonFields& fields) {
  if (!worth_learning()) return;
  misses_ = 0;
  JsonShape shape(record, tokens, count, fields);
  if (shape.empty() || shape == shapes_[0] || shape == shapes_[1]) return;
  shapes_[shapes_[newest_].empty() ? newest_ : 1 - newest_] = std::move(shape);
}

}  // namespace streamd
