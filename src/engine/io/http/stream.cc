// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/stream.h"

#include <algorithm>
#include <array>

namespace streamd::http {
namespace {

// What may come out of one piece that arrived: a guard against a compressed bomb.
constexpr std::uint64_t kMostAtOnce = std::uint64_t{64} << 20;

}  // namespace

Try<void> OpenStream::fill(const Wait& wait) {
  Answer& answer = *exchange_.answer;
  ready_.clear();
  taken_ = 0;
  while (ready_.empty() && !ended_) {
    if (answer.body().empty()) {
      const auto more = answer.read_more(wait);
      if (!more) return tl::unexpected(more.error());
      ended_ = !*more;
    }
    if (auto status = decoder_->feed(answer.body(), ended_, kMostAtOnce, ready_); !status)
      return status;
  }
  if (ended_ && answer.keeps_alive()) exchange_.slot.give_back();
  return {};
}

Result<Stream::Piece> OpenStream::read(char* to, std::size_t capacity, Duration timeout) {
  if (stop_.stop_requested()) return tl::unexpected(to_error(stopped().value(), shown_));
  if (taken_ == ready_.size() && !ended_) {
    const auto filled = fill({from_now(timeout), stop_});
    if (!filled && filled.error().fault == Fault::timeout) return Piece{};
    if (!filled) return tl::unexpected(to_error(filled.error(), shown_));
  }
  const std::size_t n = ready_.copy(to, capacity, taken_);
  taken_ += n;
  return Piece{n, n == 0};
}

std::string OpenStream::rest(std::size_t limit, Duration timeout) {
  std::string out;
  std::array<char, 4096> piece{};
  const Moment until = from_now(timeout);
  while (out.size() < limit) {
    const auto left = until - std::chrono::steady_clock::now();
    const Duration wait{std::chrono::duration_cast<std::chrono::microseconds>(left).count()};
    const auto got = read(piece.data(), std::min(piece.size(), limit - out.size()), wait);
    if (!got || got->bytes == 0) break;
    out.append(piece.data(), got->bytes);
  }
  return out;
}

}  // namespace streamd::http
