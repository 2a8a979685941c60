// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/json_shape.h"

#include "engine/codec/json_match.h"
#include "engine/codec/json_text.h"

#include <algorithm>
#include <utility>

namespace streamd {
namespace {

using Step = JsonShape::Step;

constexpr std::size_t kMaxValues = 256;
// Trying in vain costs less than a match saves: shapes rest when fewer than half of the records
// match.
constexpr int kTrials = 8;
constexpr int kMaxCredit = 64;
constexpr std::uint32_t kRest = 1024;
constexpr std::uint32_t kMaxPatience = 1024;
constexpr std::size_t kCopied = 16;

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
  if (count != values * 4 + 1 || values == 0 || values > kMaxValues ||
      record.size() > kMaxMatched) {
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

JsonShapes::JsonShapes(Look look) : look_(look), credit_(kTrials) {}

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
    const std::size_t good = match_records(look_, shapes_[newest_].steps(), records + done,
                                           count - done, copies, cells.data(), row + done);
    for (std::size_t i = done; copies != nullptr && i < done + good; ++i) {
      for (Value* const cell : cells) {
        Value& value = cell[row + i];
        if (!value.is(Kind::string)) continue;
        const auto offset = static_cast<std::size_t>(value.text().data() - copies);
        value = Value::string({records[i].data.data() + offset, value.size()});
      }
      copies += records[i].data.size();
    }
    done += good;
    tried = good > 0 ? 1 : tried + 1;
    if (done == count) break;
    newest_ = 1 - newest_;
    for (Value* const cell : cells) {
      for (std::size_t i = done; i < std::min(done + kMatchedTogether, count); ++i)
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
