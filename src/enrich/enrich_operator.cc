// SPDX-License-Identifier: Apache-2.0
#include "enrich/enrich_operator.h"

#include <string_view>
#include <unordered_map>
#include <utility>

namespace streamd::enrich {
namespace {

// A larger entry is used and not remembered: what is outside decides how large entries are.
constexpr std::size_t kLargestRemembered = 16 * 1024;

LookupCache::Options cache_of(const Shape& shape, std::uint64_t seed) {
  return {shape.cache, shape.ttl, shape.negative_ttl, shape.to.size(), seed};
}
// The reason why a key has no answer.
LookupCache::Options refusals_of(const Shape& shape, std::uint64_t seed) {
  return {shape.cache, shape.negative_ttl, shape.negative_ttl, 1, seed};
}

bool is_small(const std::vector<Value>& values) {
  std::size_t bytes = 0;
  for (const Value& value : values)
    if (value.is(Kind::string) || value.is(Kind::json)) bytes += value.size();
  return bytes <= kLargestRemembered;
}

class Enrich final : public Operator {
 public:
  Enrich(const Shape& shape, const OperatorContext& context, std::unique_ptr<Answerer> answerer)
      : shape_(shape),
        context_(context),
        answerer_(std::move(answerer)),
        key_(shape.key),
        cache_(cache_of(shape, context.hash_seed)),
        refusals_(refusals_of(shape, context.hash_seed)),
        found_(shape.to.size()) {}

  Status on_batch(const Batch& in, Emitter& out) override {
    if (in.empty()) return {};
    STREAMD_TRY(begin(in));
    for (std::size_t i = 0; i < in.size(); ++i) look(in, i);
    if (!waiting_.empty()) {
      STREAMD_TRY(answerer_->ask(in, *questions_));
      // Nothing of this batch counts any more, and not all of it was answered.
      if (context_.stop.stop_requested()) return {};
      for (const Question& question : *questions_) remember(question);
      for (const auto& [i, question] : waiting_) take(in, i, *question);
    }
    pass_on(in, out);
    return {};
  }

 private:
  Status begin(const Batch& in) {
    now_ = context_.clock->monotonic();
    auto renewed = answerer_->renew(now_);
    if (!renewed) return tl::unexpected(std::move(renewed).error());
    if (*renewed) cache_.clear();
    arena_ = std::make_shared<Arena>();
    made_.clear();
    for (std::size_t f = 0; f < found_.size(); ++f)
      made_.push_back(std::make_shared<Column>(in.physical_rows()));
    verdicts_.assign(in.size(), Verdict::nothing);
    reasons_.clear();
    waiting_.clear();
    by_key_.clear();
    questions_.reset();
    return {};
  }

  void look(const Batch& in, std::size_t i) {
    const std::uint32_t row = in.physical(i);
    const auto key = key_.of(in, row);
    if (!key) return;
    switch (cache_.find(*key, now_, *arena_, found_.data())) {
      case LookupCache::Hit::found: return found(i, row, found_);
      case LookupCache::Hit::nothing: return;
      case LookupCache::Hit::unknown: break;
    }
    switch (answerer_->look(*key, *arena_, found_.data())) {
      case Answerer::Known::found:
        cache_.put(*key, now_, found_.data());
        return found(i, row, found_);
      case Answerer::Known::nothing: return cache_.put(*key, now_, nullptr);
      case Answerer::Known::must_ask: break;
    }
    Value reason;
    if (refusals_.size() > 0 &&
        refusals_.find(*key, now_, *arena_, &reason) == LookupCache::Hit::found)
      return without_answer(in, i, Verdict::refused, reason.text());
    wait_for(*key, i);
  }

  void wait_for(std::string_view key, std::size_t i) {
    const auto known = by_key_.find(key);
    if (known != by_key_.end()) {
      waiting_.emplace_back(i, known->second);
      return;
    }
    if (!questions_) questions_ = std::make_shared<Questions>();
    Question& question = questions_->emplace_back(key, i, found_.size());
    by_key_.emplace(question.key, &question);
    waiting_.emplace_back(i, &question);
  }

  void remember(const Question& question) {
    // The wait has taken its time.
    const Duration now = context_.clock->monotonic();
    switch (question.verdict) {
      case Verdict::found:
        if (is_small(question.values)) cache_.put(question.key, now, question.values.data());
        return;
      case Verdict::nothing: return cache_.put(question.key, now, nullptr);
      case Verdict::refused: {
        const Value reason = Value::string(question.reason);
        return refusals_.put(question.key, now, &reason);
      }
      case Verdict::failed: return;
    }
  }

  void take(const Batch& in, std::size_t i, const Question& question) {
    switch (question.verdict) {
      case Verdict::found: return found(i, in.physical(i), question.values);
      case Verdict::nothing: return;
      case Verdict::refused:
      case Verdict::failed: return without_answer(in, i, question.verdict, question.reason);
    }
  }

  void found(std::size_t i, std::uint32_t row, const std::vector<Value>& values) {
    verdicts_[i] = Verdict::found;
    for (std::size_t f = 0; f < values.size(); ++f) (*made_[f])[row] = values[f];
  }

  void without_answer(const Batch& in, std::size_t i, Verdict verdict, std::string_view reason) {
    verdicts_[i] = verdict;
    if (shape_.on_error == OnError::null)
      for (auto& column : made_) (*column)[in.physical(i)] = Value::null();
    if (shape_.on_error != OnError::dead_letter) return;
    if (reasons_.empty()) reasons_.resize(in.size());
    reasons_[i] = reason;
  }

  // Whether the record goes on; when not, it was rejected or is to be counted in `dropped`.
  bool passes(const Batch& in, std::size_t i, Emitter& out, std::size_t& dropped) const {
    switch (verdicts_[i]) {
      case Verdict::found: return true;
      case Verdict::nothing:
        if (shape_.on_missing == OnMissing::keep) return true;
        if (shape_.on_missing == OnMissing::drop)
          ++dropped;
        else
          out.reject(in, i, {"no-entry", "there is no entry for " + shape_.what});
        return false;
      case Verdict::refused:
      case Verdict::failed: break;
    }
    if (shape_.on_error != OnError::dead_letter) return true;
    out.reject(in, i, {verdicts_[i] == Verdict::failed ? "no-answer" : "bad-answer", reasons_[i]});
    return false;
  }

  void pass_on(const Batch& in, Emitter& out) {
    rows_.clear();
    std::size_t dropped = 0;
    for (std::size_t i = 0; i < in.size(); ++i)
      if (passes(in, i, out, dropped)) rows_.push_back(in.physical(i));
    if (dropped > 0) out.drop(DropReason::filtered, dropped);
    if (rows_.empty()) return;
    std::vector<ColumnPtr> columns = in.columns();
    columns.resize(shape_.columns);
    for (std::size_t f = 0; f < made_.size(); ++f) columns[shape_.to[f]] = std::move(made_[f]);
    Batch result = in.with_columns(std::move(columns));
    result.keep(std::move(arena_));
    if (auto owner = answerer_->owner()) result.keep(std::move(owner));
    if (questions_) result.keep(questions_);
    out.emit(rows_.size() == in.size() ? result : result.select(rows_));
  }

  const Shape& shape_;
  const OperatorContext context_;
  const std::unique_ptr<Answerer> answerer_;
  RecordKey key_;
  LookupCache cache_;
  LookupCache refusals_;

  // Of the batch that is being worked on.
  Duration now_;
  std::shared_ptr<Arena> arena_;
  std::vector<std::shared_ptr<Column>> made_;
  std::vector<Verdict> verdicts_;
  std::vector<std::string_view> reasons_;  // by record; empty: all have an answer
  std::shared_ptr<Questions> questions_;
  std::unordered_map<std::string_view, Question*> by_key_;
  std::vector<std::pair<std::size_t, const Question*>> waiting_;
  std::vector<Value> found_;
  std::vector<std::uint32_t> rows_;
};

}  // namespace

std::unique_ptr<Operator> make_enrich(const Shape& shape, const OperatorContext& context,
                                      std::unique_ptr<Answerer> answerer) {
  return std::make_unique<Enrich>(shape, context, std::move(answerer));
}

}  // namespace streamd::enrich
