// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/body.h"

#include "engine/api/field_type.h"
#include "engine/io/http/headers.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd::http {
namespace {

// Small enough to be in the cache when it is filled after it was made.
constexpr std::size_t kPiece = 16 * 1024;

}  // namespace

tl::unexpected<Trouble> too_large(std::uint64_t limit) {
  return trouble(Fault::too_large,
                 fmt::format("the answer is larger than {}", format_size(ByteSize{limit})),
                 "ask for less at once", false);
}

Try<std::unique_ptr<BodyDecoder>> BodyDecoder::make(std::string_view encoding) {
  std::optional<GzipReader::Format> format;
  if (same_token(encoding, "gzip") || same_token(encoding, "x-gzip")) {
    format = GzipReader::Format::gzip;
  } else if (same_token(encoding, "deflate")) {
    format = GzipReader::Format::deflate;
  } else if (!encoding.empty() && !same_token(encoding, "identity")) {
    return trouble(Fault::garbage,
                   "the answer is compressed in a way that was not asked for (Content-Encoding)");
  }
  return std::unique_ptr<BodyDecoder>(new BodyDecoder(format));
}

BodyDecoder::BodyDecoder(std::optional<GzipReader::Format> format) {
  if (!format) return;
  const auto input = [this](char* to, std::size_t capacity) -> Result<std::size_t> {
    if (pending_.empty() && !last_) return fail_for_now("the rest has not come yet");
    const std::size_t n = pending_.copy(to, capacity);
    pending_.remove_prefix(n);
    return n;
  };
  reader_.emplace(input, *format);
}

Try<void> BodyDecoder::feed(std::string& encoded, bool last, std::uint64_t limit,
                            std::string& out) {
  if (!reader_) {
    if (out.size() + encoded.size() > limit) return too_large(limit);
    if (out.empty())
      out.swap(encoded);
    else
      out += encoded;
    encoded.clear();
    return {};
  }
  pending_ = encoded;
  last_ = last;
  while (true) {
    const std::size_t before = out.size();
    // In few steps: what is not filled is not touched, and costs no memory.
    if (out.capacity() < before + kPiece)
      out.reserve(
          std::max<std::uint64_t>(before + kPiece, std::min<std::uint64_t>(4 * before, limit)));
    out.resize(before + kPiece);
    const auto got = reader_->read(out.data() + before, kPiece);
    out.resize(before + got.value_or(0));
    if (out.size() > limit) return too_large(limit);
    if (!got && got.error().kind == ErrorKind::data) {
      return trouble(Fault::garbage,
                     fmt::format("the answer's compression is broken ({})", got.error().message));
    }
    if (!got || *got == 0) break;
  }
  pending_ = {};
  encoded.clear();
  return {};
}

}  // namespace streamd::http
