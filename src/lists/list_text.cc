// SPDX-License-Identifier: Apache-2.0
#include "lists/list_text.h"

#include "engine/api/field_type.h"
#include "engine/codec/gzip.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace streamd {
namespace {

Result<std::string> unpacked(std::string_view packed, std::uint64_t limit) {
  GzipReader reader([&packed](char* to, std::size_t capacity) -> Result<std::size_t> {
    const std::size_t size = std::min(capacity, packed.size());
    std::memcpy(to, packed.data(), size);
    packed.remove_prefix(size);
    return size;
  });
  constexpr std::size_t kPiece = 256 * 1024;
  std::string out;
  for (;;) {
    const std::size_t before = out.size();
    out.resize(before + kPiece);
    auto got = reader.read(out.data() + before, kPiece);
    if (!got) return fail_for_now(got.error().message);
    out.resize(before + *got);
    if (out.size() > limit)
      return fail(ErrorKind::external,
                  "unpacked it has more than " + format_size({limit}) + ", which is max_size",
                  "set max_size");
    if (*got == 0) return out;
  }
}

}  // namespace

Result<std::string> plain_list_text(std::string text, std::uint64_t limit) {
  if (looks_like_gzip(text.data(), text.size())) {
    auto out = unpacked(text, limit);
    if (!out) return out;
    text = std::move(*out);
  }
  const std::string_view front = std::string_view(text).substr(0, 4096);
  if (front.starts_with("PK\x03\x04"))
    return fail(ErrorKind::external, "it is a zip archive, no text", "give the list unpacked");
  if (front.find('\0') != std::string_view::npos) return fail(ErrorKind::external, "it is no text");
  return text;
}

}  // namespace streamd
