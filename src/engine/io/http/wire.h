// SPDX-License-Identifier: Apache-2.0
// Wire: bytes to and from the far side. Private; fuzzers and tests put their own behind it.
#pragma once

#include "engine/io/http/fault.h"

#include <string_view>

namespace streamd::http {

// One thread at a time.
class Wire {
 public:
  virtual ~Wire() = default;
  // What has come, at least one byte; empty: the far side has closed in order. Valid until the next
  // call. After Fault::timeout reading may go on; nothing is lost.
  virtual Try<std::string_view> read(const Wait& wait) = 0;
  // Both in one go. After any trouble only reading is left.
  virtual Try<void> write(std::string_view head, std::string_view body, const Wait& wait) = 0;
};

}  // namespace streamd::http
