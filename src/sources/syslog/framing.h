// SPDX-License-Identifier: Apache-2.0
// FrameCutter: messages out of a stream of bytes (RFC 6587), one for each connection. Holds no
// bytes itself. One thread.
//
// By length ("123 <34>1 …"), by LF or by NUL; `automatic` decides for each message: digits, a blank
// and "<" mean a length, everything else ends with LF or NUL. CR, LF, NUL and blanks between
// messages are skipped. A number beyond 200,000 and max_record is no length. A length that is none,
// where only lengths are expected, makes what stands up to the next LF a message, and the stream
// goes on behind it.
#pragma once

#include "sources/syslog/config.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace streamd::syslog {

struct Frame {
  std::string_view text;
  bool too_long = false;  // `text` is its beginning
};

class FrameCutter {
 public:
  FrameCutter(Framing framing, std::size_t max_record)
      : framing_(framing), max_record_(max_record) {}

  // Takes the next message from the front of `data`. nullopt: more bytes are needed; what is left
  // of `data` then has to stand in front of them at the next call. It is at most max_record and a
  // length long.
  std::optional<Frame> next(std::string_view& data);
  // Nothing follows: what is left of a message.
  std::optional<Frame> rest(std::string_view data);
  // A message, or one that is thrown away, has begun and not ended.
  bool inside() const { return inside_ || skip_bytes_ > 0 || skip_line_; }
  // How often a length was none.
  std::uint64_t desynchronised() const { return desynchronised_; }

 private:
  enum class Kind : std::uint8_t { counted, line, unknown };
  Kind kind_of(std::string_view data, std::size_t& length, std::size_t& digits) const;
  std::optional<Frame> counted(std::string_view& data, std::size_t length, std::size_t digits);
  std::optional<Frame> line(std::string_view& data);
  std::size_t find_end(std::string_view data, std::size_t from) const;
  bool skip(std::string_view& data);

  const Framing framing_;
  const std::size_t max_record_;
  std::size_t scanned_ = 0;  // bytes of the message at hand without an end
  std::size_t skip_bytes_ = 0;
  bool skip_line_ = false;
  bool inside_ = false;
  bool lost_ = false;  // this line was no length
  std::uint64_t desynchronised_ = 0;
};

}  // namespace streamd::syslog
