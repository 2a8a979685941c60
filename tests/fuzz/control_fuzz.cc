// SPDX-License-Identifier: Apache-2.0
// Any bytes over the control socket: as a request to a running process, and as the answer of one.
// A request that is understood can be written again and is the same one.
#include "engine/core/check.h"
#include "engine/io/control/protocol.h"

#include <cstdint>
#include <string_view>

using namespace streamd::control;

namespace {

void as_request(std::string_view bytes) {
  const auto parsed = parse_request(bytes);
  if (!parsed || !*parsed) return;
  const auto again = parse_request(encode(**parsed));
  STREAMD_CHECK(again && *again, "what was understood once is understood again");
  STREAMD_CHECK((*again)->verb == (*parsed)->verb && (*again)->values == (*parsed)->values,
                "and means the same");
  // It was complete at its end and not before.
  const std::size_t end = encode(**parsed).size();
  STREAMD_CHECK(end <= bytes.size() && !*parse_request(bytes.substr(0, end - 1)),
                "a beginning of a request is no request");
}

void as_answer(std::string_view bytes) {
  std::size_t whole = 0, pieces = 0;
  AnswerLines at_once, in_pieces;
  at_once.add(bytes);
  while (at_once.next()) ++whole;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    in_pieces.add(bytes.substr(i, 3));
    while (in_pieces.next()) ++pieces;
  }
  STREAMD_CHECK(whole == pieces, "lines do not depend on how they arrive");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  as_request(bytes);
  as_answer(bytes);
  return 0;
}
