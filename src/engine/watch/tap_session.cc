// SPDX-License-Identifier: Apache-2.0
#include "engine/watch/tap_session.h"

#include "engine/expr/time_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace streamd {
namespace {

constexpr Duration kTurn = Duration::from_millis(10);
constexpr Duration kLastTurn = Duration::from_millis(100);
constexpr std::int64_t kRestFactor = 9;  // times the work before it: a tenth of a core
constexpr std::size_t kFirstPiece = 16, kLargestPiece = 1024;
constexpr Duration kShortPiece = Duration::from_millis(1);

// Everything that a terminal might obey, as JSON escapes it; the same JSON then.
std::string tame(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto at = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
    if (at(i) < 0x20 || at(i) == 0x7F) {
      out += fmt::format("\\u{:04x}", at(i));
    } else if (at(i) == 0xC2 && i + 1 < text.size() && at(i + 1) >= 0x80 && at(i + 1) < 0xA0) {
      out += fmt::format("\\u{:04x}", at(++i));
    } else {
      out += text[i];
    }
  }
  return out;
}

// Not in the middle of a character.
std::string_view cut(std::string_view text, std::size_t bytes) {
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

std::string time_text(EventTime time) {
  std::string out;
  expr::append_timestamp(std::clamp(time, expr::kMinTimestamp, expr::kMaxTimestamp), 0, out);
  return out;
}

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(text, out);
  return out;
}

}  // namespace

TapSession::TapSession(Taps::Tap tap, TapRequest request, const SecretMask& mask,
                       const Clock& clock)
    : tap_(std::move(tap)),
      request_(std::move(request)),
      mask_(mask),
      clock_(clock),
      encoder_(request_.schema),
      piece_rows_(kFirstPiece),
      refilled_(clock.monotonic()),
      rests_until_(refilled_),
      told_at_(refilled_) {}

void TapSession::work(control::Answer& answer) {
  const Duration now = clock_.monotonic();
  refill(now);
  if (now >= rests_until_) look_for(kTurn, answer);
  tell_skipped(clock_.monotonic(), answer);
}

void TapSession::end(control::Answer& answer) {
  refill(clock_.monotonic());
  look_for(kLastTurn, answer);
  if (answer.finished()) return;
  answer.err("the pipeline has ended");
  finish(answer);
}

void TapSession::refill(Duration now) {
  const double seconds = static_cast<double>((now - refilled_).micros) / 1e6;
  refilled_ = now;
  const auto fill = [seconds](double& left, std::size_t rate) {
    left = std::min(static_cast<double>(rate), left + seconds * static_cast<double>(rate));
  };
  fill(records_left_, kTapRecordsPerSecond);
  fill(bytes_left_, kTapBytesPerSecond);
}

// Some of the rows that wait: as many as take about a millisecond to look at.
bool TapSession::next_piece(Batch& piece) {
  if (next_batch_ == waiting_.size()) {
    next_batch_ = next_row_ = 0;
    tap_.take(waiting_);
    if (waiting_.empty()) return false;
  }
  const Batch& batch = waiting_[next_batch_];
  const std::size_t end = std::min(next_row_ + piece_rows_, batch.size());
  std::vector<std::uint32_t> rows;
  for (; next_row_ < end; ++next_row_) rows.push_back(batch.physical(next_row_));
  piece = batch.select(std::move(rows));
  if (next_row_ < batch.size()) return true;
  waiting_[next_batch_++] = {};
  next_row_ = 0;
  return true;
}

void TapSession::look_for(Duration at_most, control::Answer& answer) {
  const Duration begin = clock_.monotonic();
  Duration now = begin;
  Batch piece;
  while (!answer.finished() && now - begin < at_most && next_piece(piece)) {
    examine(piece, answer);
    const Duration after = clock_.monotonic();
    const bool fast = after - now < kShortPiece;
    piece_rows_ = std::clamp(fast ? piece_rows_ * 2 : piece_rows_ / 2, kFirstPiece, kLargestPiece);
    now = after;
  }
  rests_until_ = now + Duration{(now - begin).micros * kRestFactor};
}

void TapSession::examine(const Batch& piece, control::Answer& answer) {
  const auto may_show = [this] { return records_left_ >= 1 && bytes_left_ > 0; };
  if (!may_show()) {
    skipped_ += piece.size();
    return;
  }
  kept_.clear();
  if (request_.filter)
    request_.filter->select(piece, kept_);
  else
    for (std::size_t i = 0; i < piece.size(); ++i) kept_.push_back(piece.physical(i));
  const Batch found = piece.select(kept_);
  for (std::uint32_t i = 0; i < found.size(); ++i) {
    if (!may_show()) {
      skipped_ += found.size() - i;
      return;
    }
    show(found, i, answer);
    if (request_.limit > 0 && shown_ >= request_.limit) return finish(answer);
  }
}

void TapSession::show(const Batch& batch, std::uint32_t i, control::Answer& answer) {
  std::string record;
  encoder_.append(batch, i, record);
  mask_.hide(record);
  const std::size_t whole = record.size();
  const bool too_long = whole > kTapRecordBytes;
  std::string text = tame(too_long ? cut(record, kTapRecordBytes) : std::string_view(record));
  const bool timed = batch.time(i) != EventTime::min();
  const std::string& partition = batch.origin().partition;
  std::string line;
  if (request_.json) {
    line =
        fmt::format(R"({{"node":{},"port":{})", json_text(request_.node), json_text(request_.port));
    if (timed) line += fmt::format(R"(,"time":"{}")", time_text(batch.time(i)));
    if (!partition.empty())
      line += fmt::format(R"(,"source":{},"partition":{},"position":{})",
                          json_text(batch.origin().node), json_text(partition), batch.position(i));
    line += too_long ? fmt::format(R"(,"bytes":{},"beginning":{}}})", whole, json_text(text))
                     : fmt::format(R"(,"record":{}}})", text);
  } else {
    line = timed ? time_text(batch.time(i)) : "-";
    if (!partition.empty()) line += fmt::format("  {}@{}", tame(partition), batch.position(i));
    line += "  " + text;
    if (too_long) line += fmt::format(" … ({} bytes)", whole);
  }
  answer.out(line);
  ++shown_;
  records_left_ -= 1;
  bytes_left_ -= static_cast<double>(line.size());
}

std::string TapSession::skipped_text() const {
  std::string text =
      fmt::format("{} of {} records were skipped", skipped_ + tap_.skipped(), tap_.seen());
  if (request_.filter && request_.filter->failed() > 0)
    text += fmt::format("; {} have no answer to --where, the first as {}",
                        request_.filter->failed(), tame(request_.filter->first_failure()));
  return text;
}

void TapSession::tell_skipped(Duration now, control::Answer& answer) {
  if (answer.finished() || now - told_at_ < Duration::from_seconds(1)) return;
  const std::uint64_t count =
      skipped_ + tap_.skipped() + (request_.filter ? request_.filter->failed() : 0);
  if (count == told_) return;
  told_ = count;
  told_at_ = now;
  answer.err(skipped_text() + " so far");
}

void TapSession::finish(control::Answer& answer) {
  answer.err(fmt::format("{} records shown; {}", shown_, skipped_text()));
  answer.finish(0);
}

}  // namespace streamd
