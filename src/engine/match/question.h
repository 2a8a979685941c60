// SPDX-License-Identifier: Apache-2.0
// Question: a value as lists are asked for it, read once for all of them.
#pragma once

#include "engine/core/value.h"
#include "engine/match/address.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace streamd {

struct Question {
  enum class Kind : std::uint8_t { nothing, v4, v6, network, text };

  Kind kind = Kind::nothing;
  std::uint8_t prefix = 0;  // network
  bool v6 = false;          // network
  std::uint32_t v4 = 0;
  // v6, and network of either kind.
  Uint128 bits = 0;
  // As the value is written: what is no address, or not found as one, is looked up as this. Empty:
  // the value is no text.
  std::string_view text;
};

// Where the digits of a whole number are written that is looked up as a text.
using QuestionDigits = std::array<char, 24>;

// Texts, addresses, networks; whole numbers by how they are written. Other kinds are nothing. The
// question points into the value's text or into `digits`.
Question question_of(const Value& value, QuestionDigits& digits);
Question question_of(std::string_view text);

}  // namespace streamd
