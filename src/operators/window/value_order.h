// SPDX-License-Identifier: Apache-2.0
// A total order over values written by core/key.h's append_key, one value each: what min, max and
// top compare by. Numbers of all kinds are on one line (1 and 1.0 tie and are told apart by kind),
// texts go by bytes, times by time; kinds that cannot be compared go bool, number, string, bytes,
// timestamp, duration, ip, cidr, json.
#pragma once

#include "engine/core/value.h"

#include <string>
#include <string_view>

namespace streamd::window {

// <0, 0, >0. Malformed bytes have some fixed place.
int compare_encoded(std::string_view a, std::string_view b);

struct EncodedLess {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const {
    return compare_encoded(a, b) < 0;
  }
};

// The value that append_key wrote; texts point into `encoded`. Missing when the bytes are no value.
Value decode_value(std::string_view encoded);

// True when `encoded` is exactly one value.
bool is_one_value(std::string_view encoded);

}  // namespace streamd::window
