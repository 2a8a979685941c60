// SPDX-License-Identifier: Apache-2.0
#include "operators/window/aggregates.h"

#include "operators/window/aggregate_parts.h"
#include "operators/window/counted.h"
#include "operators/window/exact_sum.h"
#include "operators/window/varint.h"

#include <algorithm>
#include <cmath>

namespace streamd::window {
namespace {

constexpr std::size_t kSumWords = ExactSum::kWords + 2;

std::size_t words_of(const Compute& compute) {
  switch (compute.function) {
    case Function::count: return compute.input < 0 ? 0 : 1;
    case Function::rate: return 0;
    case Function::sum:
    case Function::avg: return kSumWords;
    default: return 1;
  }
}

void add_to_sum(std::uint64_t* at, const Value& value) {
  switch (value.kind()) {
    case Kind::int64: ExactSum::add_int(at, value.as_int()); break;
    case Kind::uint64: ExactSum::add_uint(at, value.as_uint()); break;
    default: ExactSum::add_double(at, value.as_double()); ++at[kSumDoubles];
  }
  ++at[kSumInputs];
}

Value finite(double d) {
  return std::isfinite(d) ? Value::float64(d) : Value::error("is beyond the range of a double");
}

Value sum_result(const Compute& compute, const std::uint64_t* at) {
  if (compute.function == Function::avg) {
    if (at[kSumInputs] == 0) return Value::null();
    return finite(ExactSum::to_double(at) / static_cast<double>(at[kSumInputs]));
  }
  if (compute.always_double || at[kSumDoubles] > 0) return finite(ExactSum::to_double(at));
  const auto whole = ExactSum::to_int(at);
  return whole ? Value::int64(*whole) : Value::error("is an int beyond 64 bits");
}

}  // namespace

Aggregates::Aggregates(std::vector<Compute> computes, std::shared_ptr<DistinctValues> values)
    : computes_(std::move(computes)),
      values_(values ? std::move(values) : std::make_shared<DistinctValues>(0)) {
  for (const auto& compute : computes_) {
    if (compute.counts_with >= 0) {
      offsets_.push_back(offsets_[static_cast<std::size_t>(compute.counts_with)]);
      continue;
    }
    if (compute.input >= 0)
      steps_.push_back({compute.function, static_cast<std::uint32_t>(compute.input),
                        static_cast<std::uint32_t>(words_), place_of(compute)});
    offsets_.push_back(words_);
    words_ += words_of(compute);
  }
  only_sum_ = computes_.size() == 1 && computes_[0].input == 0 &&
              (computes_[0].function == Function::sum || computes_[0].function == Function::avg);
}

std::uint32_t Aggregates::place_of(const Compute& compute) {
  if (!is_counted(compute.function)) return 0;
  const auto input = static_cast<std::uint32_t>(compute.input);
  const auto known = std::find(counted_inputs_.begin(), counted_inputs_.end(), input);
  const auto place = static_cast<std::uint32_t>(known - counted_inputs_.begin());
  if (known == counted_inputs_.end()) counted_inputs_.push_back(input);
  return place;
}

void Aggregates::fetch(const std::uint64_t* part, const std::uint32_t* counted) const {
  for (const Step& step : steps_)
    if (is_counted(step.function)) fetch_counted(part[step.offset], counted[step.counted]);
}

const char* Aggregates::refuse(Function function, const Value& value) {
  if (value.absent()) return nullptr;
  const Kind kind = value.kind();
  const bool number = kind == Kind::int64 || kind == Kind::uint64 || kind == Kind::float64;
  const bool nan = kind == Kind::float64 && std::isnan(value.as_double());
  switch (function) {
    case Function::count:
    case Function::share: return kind == Kind::boolean ? nullptr : "a bool";
    case Function::sum:
    case Function::avg:
    case Function::quantile:
      if (!number) return "a number";
      return kind == Kind::float64 && !std::isfinite(value.as_double()) ? "a finite number"
                                                                        : nullptr;
    case Function::min:
    case Function::max:
      if (nan) return "a number that is not NaN";
      return kind == Kind::json || kind >= Kind::list ? "a value that can be ordered" : nullptr;
    case Function::distinct:
    case Function::entropy:
    case Function::first:
    case Function::last:
    case Function::top: return kind >= Kind::list ? "a plain value" : nullptr;
    case Function::rate: return nullptr;
  }
  return nullptr;
}

template <bool kEntered>
void Aggregates::add_each(std::uint64_t* part, std::uint64_t* running, const Value* inputs,
                          std::int64_t time, std::uint64_t arrival,
                          const std::uint32_t* counted) const {
  for (const Step& step : steps_) {
    const Value& value = inputs[step.input];
    if (value.absent()) continue;
    std::uint64_t* const at = part + step.offset;
    [[maybe_unused]] std::uint64_t* const sum = kEntered ? running + step.offset : nullptr;
    switch (step.function) {
      case Function::count:
      case Function::share:
        *at += value.as_bool() ? 1 : 0;
        if constexpr (kEntered) *sum += value.as_bool() ? 1 : 0;
        break;
      case Function::sum:
      case Function::avg:
        add_to_sum(at, value);
        if constexpr (kEntered) add_to_sum(sum, value);
        break;
      case Function::min:
      case Function::max:
        if constexpr (kEntered) leave_extreme(*sum, *at);
        add_extreme(*at, value, step.function == Function::max);
        if constexpr (kEntered) enter_extreme(*sum, *at);
        break;
      case Function::distinct:
      case Function::entropy:
      case Function::top: {
        const std::uint32_t number =
            counted != nullptr ? counted[step.counted] : values_->number_of(value);
        add_counted(*at, number, *values_);
        if constexpr (kEntered) add_counted_running(*sum, number);
        break;
      }
      case Function::first:
      case Function::last:
        if constexpr (kEntered) leave_stamped(*sum, *at);
        add_stamped(*at, value, time, arrival, step.function == Function::last);
        if constexpr (kEntered) enter_stamped(*sum, *at);
        break;
      case Function::quantile:
        add_sketched(*at, value);
        if constexpr (kEntered) add_sketched(*sum, value);
        break;
      case Function::rate: break;
    }
  }
}
template void Aggregates::add_each<false>(std::uint64_t*, std::uint64_t*, const Value*,
                                          std::int64_t, std::uint64_t, const std::uint32_t*) const;

void Aggregates::add_entered(std::uint64_t* part, std::uint64_t* running, const Value* inputs,
                             std::int64_t time, std::uint64_t arrival,
                             const std::uint32_t* counted) const {
  add_each<true>(part, running, inputs, time, arrival, counted);
}

namespace {

void enter_one(const Compute& compute, std::uint64_t* at, const std::uint64_t* from) {
  switch (compute.function) {
    case Function::count:
    case Function::share:
      if (compute.input >= 0) *at += *from;
      break;
    case Function::sum:
    case Function::avg:
      ExactSum::add(at, from);
      at[kSumInputs] += from[kSumInputs];
      at[kSumDoubles] += from[kSumDoubles];
      break;
    case Function::min:
    case Function::max: enter_extreme(*at, *from); break;
    case Function::first:
    case Function::last: enter_stamped(*at, *from); break;
    case Function::distinct:
    case Function::entropy:
    case Function::top: enter_counted(*at, *from); break;
    case Function::quantile: combine_sketched(*at, *from, 1); break;
    case Function::rate: break;
  }
}

}  // namespace

void Aggregates::merge(std::uint64_t* part, const std::uint64_t* other) const {
  for (std::size_t c = 0; c < computes_.size(); ++c) {
    if (is_shared(c)) continue;
    const Compute& compute = computes_[c];
    std::uint64_t* at = part + offsets_[c];
    const std::uint64_t* from = other + offsets_[c];
    switch (compute.function) {
      case Function::min:
      case Function::max: merge_extreme(*at, *from, compute.function == Function::max); break;
      case Function::first:
      case Function::last: merge_stamped(*at, *from, compute.function == Function::last); break;
      case Function::distinct:
      case Function::entropy:
      case Function::top: merge_counted(*at, *from, *values_); break;
      default: enter_one(compute, at, from);
    }
  }
}

void Aggregates::enter(std::uint64_t* running, const std::uint64_t* part) const {
  for (std::size_t c = 0; c < computes_.size(); ++c)
    if (!is_shared(c)) enter_one(computes_[c], running + offsets_[c], part + offsets_[c]);
}

void Aggregates::leave(std::uint64_t* running, const std::uint64_t* part) const {
  for (std::size_t c = 0; c < computes_.size(); ++c) {
    if (is_shared(c)) continue;
    const Compute& compute = computes_[c];
    std::uint64_t* at = running + offsets_[c];
    const std::uint64_t* from = part + offsets_[c];
    switch (compute.function) {
      case Function::count:
      case Function::share:
        if (compute.input >= 0) *at -= *from;
        break;
      case Function::sum:
      case Function::avg:
        at[kSumInputs] -= from[kSumInputs];
        at[kSumDoubles] -= from[kSumDoubles];
        if (at[kSumInputs] == 0)
          ExactSum::free(at);
        else
          ExactSum::subtract(at, from);
        break;
      case Function::min:
      case Function::max: leave_extreme(*at, *from); break;
      case Function::first:
      case Function::last: leave_stamped(*at, *from); break;
      case Function::distinct:
      case Function::entropy:
      case Function::top: leave_counted(*at, *from); break;
      case Function::quantile: combine_sketched(*at, *from, -1); break;
      case Function::rate: break;
    }
  }
}

namespace {

Value common_result(const Compute& compute, const std::uint64_t* at, std::uint64_t count,
                    std::int64_t span, const DistinctValues& values, Arena& arena) {
  switch (compute.function) {
    case Function::count:
      return Value::int64(static_cast<std::int64_t>(compute.input < 0 ? count : *at));
    case Function::rate:
      return Value::float64(static_cast<double>(count) / (static_cast<double>(span) / 1e6));
    case Function::sum:
    case Function::avg: return sum_result(compute, at);
    case Function::distinct: return Value::int64(static_cast<std::int64_t>(counted_size(*at)));
    case Function::entropy: return counted_entropy(*at);
    case Function::share:
      if (count == 0) return Value::null();
      return Value::float64(static_cast<double>(*at) / static_cast<double>(count));
    case Function::top:
      return counted_top(*at, static_cast<std::size_t>(compute.argument), values, arena);
    case Function::quantile: return sketched_quantile(*at, compute.argument);
    default: return Value::null();
  }
}

}  // namespace

Value Aggregates::part_result(std::size_t c, const std::uint64_t* part, std::uint64_t count,
                              std::int64_t span, Arena& arena) const {
  const Compute& compute = computes_[c];
  const std::uint64_t* at = part + offsets_[c];
  switch (compute.function) {
    case Function::min:
    case Function::max: return extreme_part_result(*at, arena);
    case Function::first:
    case Function::last: return stamped_part_result(*at, arena);
    default: return common_result(compute, at, count, span, *values_, arena);
  }
}

Value Aggregates::running_result(std::size_t c, const std::uint64_t* running, std::uint64_t count,
                                 std::int64_t span, Arena& arena) const {
  const Compute& compute = computes_[c];
  const std::uint64_t* at = running + offsets_[c];
  switch (compute.function) {
    case Function::min:
    case Function::max:
      return extreme_running_result(*at, compute.function == Function::max, arena);
    case Function::first:
    case Function::last:
      return stamped_running_result(*at, compute.function == Function::last, arena);
    default: return common_result(compute, at, count, span, *values_, arena);
  }
}

void Aggregates::encode(const std::uint64_t* part, std::string& out) const {
  for (std::size_t c = 0; c < computes_.size(); ++c) {
    const std::uint64_t* at = part + offsets_[c];
    switch (computes_[c].function) {
      case Function::count:
      case Function::share:
        if (computes_[c].input >= 0) put_varint(out, *at);
        break;
      case Function::sum:
      case Function::avg:
        put_varint(out, at[kSumInputs]);
        if (at[kSumInputs] == 0) break;
        put_varint(out, at[kSumDoubles]);
        ExactSum::encode(at, out);
        break;
      case Function::min:
      case Function::max: encode_extreme(*at, out); break;
      case Function::first:
      case Function::last: encode_stamped(*at, out); break;
      case Function::distinct:
      case Function::entropy:
      case Function::top: encode_counted(*at, *values_, out); break;
      case Function::quantile: encode_sketched(*at, out); break;
      case Function::rate: break;
    }
  }
}

bool Aggregates::decode(std::string_view& in, std::uint64_t* part, std::uint64_t& arrival) const {
  const auto one = [&](const Compute& compute, std::uint64_t* at) {
    switch (compute.function) {
      case Function::count:
      case Function::share: return compute.input < 0 || take_varint(in, *at);
      case Function::sum:
      case Function::avg:
        if (!take_varint(in, at[kSumInputs])) return false;
        if (at[kSumInputs] == 0) return true;
        return take_varint(in, at[kSumDoubles]) && ExactSum::decode(in, at);
      case Function::min:
      case Function::max: return decode_extreme(in, *at);
      case Function::first:
      case Function::last: return decode_stamped(in, *at, arrival);
      case Function::distinct:
      case Function::entropy:
      case Function::top: return decode_counted(in, *at, *values_);
      case Function::quantile: return decode_sketched(in, *at);
      case Function::rate: return true;
    }
    return false;
  };
  for (std::size_t c = 0; c < computes_.size(); ++c) {
    Word again = 0;
    const bool good = one(computes_[c], is_shared(c) ? &again : part + offsets_[c]);
    free_counted_part(again, *values_);
    if (good) continue;
    free_part(part);
    return false;
  }
  return true;
}

void Aggregates::free_words(std::uint64_t* words, bool running) const {
  for (std::size_t c = 0; c < computes_.size(); ++c) {
    if (is_shared(c)) continue;
    std::uint64_t* at = words + offsets_[c];
    switch (computes_[c].function) {
      case Function::sum:
      case Function::avg:
        ExactSum::free(at);
        at[kSumInputs] = at[kSumDoubles] = 0;
        break;
      case Function::min:
      case Function::max: running ? free_extreme_running(*at) : free_extreme_part(*at); break;
      case Function::first:
      case Function::last: running ? free_stamped_running(*at) : free_stamped_part(*at); break;
      case Function::distinct:
      case Function::entropy:
      case Function::top:
        running ? free_counted_running(*at) : free_counted_part(*at, *values_);
        break;
      case Function::quantile: free_sketched(*at); break;
      case Function::count:
      case Function::share:
        if (computes_[c].input >= 0) *at = 0;
        break;
      case Function::rate: break;
    }
  }
}

}  // namespace streamd::window
