// SPDX-License-Identifier: Apache-2.0
// JsonIndex: where the tokens of a JSON text begin, found 64 bytes at a time by simdjson's first
// stage for this CPU. Private to codec/; one thread. Reads nothing behind the text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace streamd {

class JsonIndex {
 public:
  JsonIndex();
  ~JsonIndex();
  JsonIndex(const JsonIndex&) = delete;
  JsonIndex& operator=(const JsonIndex&) = delete;

  // After true: the text is UTF-8, its strings are closed and hold no bare control characters, and
  // between two tokens is nothing but the first one and white space. Escapes are not checked.
  bool build(std::string_view text);
  // Offsets of braces, brackets, colons, commas, opening quotes and first bytes of other scalars,
  // then text.size().
  const std::uint32_t* tokens() const { return tokens_; }
  std::uint32_t count() const { return count_; }

  // After false: bad-json, bad-utf8, too-long or empty, and what is wrong at which byte.
  std::string_view code() const { return code_; }
  const std::string& reason() const { return reason_; }

 private:
  struct Parser;
  bool grow(std::size_t size);
  bool refuse(std::string_view code, std::string reason);

  std::unique_ptr<Parser> parser_;
  std::size_t capacity_ = 0;
  const std::uint32_t* tokens_ = nullptr;
  std::uint32_t count_ = 0;
  std::string_view code_;
  std::string reason_;
};

}  // namespace streamd
