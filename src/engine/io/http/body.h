// SPDX-License-Identifier: Apache-2.0
// BodyDecoder: undoes Content-Encoding as the body comes. Private.
#pragma once

#include "engine/codec/gzip.h"
#include "engine/io/http/fault.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace streamd::http {

// One thread. Does not move: the reader inside points here.
class BodyDecoder {
 public:
  // Trouble: an encoding that was not asked for.
  static Try<std::unique_ptr<BodyDecoder>> make(std::string_view content_encoding);
  BodyDecoder(const BodyDecoder&) = delete;
  BodyDecoder& operator=(const BodyDecoder&) = delete;

  bool plain() const { return !reader_; }
  // Takes all of `encoded` (and clears it) and appends what it means to `out`, which may grow to
  // `limit` bytes. `last`: nothing follows.
  Try<void> feed(std::string& encoded, bool last, std::uint64_t limit, std::string& out);

 private:
  explicit BodyDecoder(std::optional<GzipReader::Format> format);
  std::optional<GzipReader> reader_;
  std::string_view pending_;
  bool last_ = false;
};

tl::unexpected<Trouble> too_large(std::uint64_t limit);

}  // namespace streamd::http
