// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/ring.h"

#include "tests/support/catch.h"

#include <thread>

using namespace streamd;

namespace {

Message numbered(std::uint32_t n) {
  Message m;
  m.kind = Message::Kind::watermark;
  m.node = n;
  return m;
}

}  // namespace

TEST_CASE("a full ring refuses and leaves the message untouched", "[runtime]") {
  Ring ring(2);
  for (std::uint32_t n = 0; n < 2; ++n) {
    auto m = numbered(n);
    REQUIRE(ring.push(m));
  }
  auto third = numbered(2);
  CHECK_FALSE(ring.push(third));
  CHECK(third.node == 2);
  Message out;
  REQUIRE(ring.pop(out));
  CHECK(out.node == 0);
  CHECK(ring.push(third));
}

TEST_CASE("messages arrive once and in order between two threads", "[runtime]") {
  Ring ring(8);
  constexpr std::uint32_t kCount = 20'000;
  std::jthread sender([&] {
    for (std::uint32_t n = 0; n < kCount; ++n) {
      auto m = numbered(n);
      while (!ring.push(m)) std::this_thread::yield();
    }
  });
  std::uint32_t wrong = 0;
  for (std::uint32_t n = 0; n < kCount; ++n) {
    Message out;
    while (!ring.pop(out)) std::this_thread::yield();
    if (out.node != n) ++wrong;
  }
  CHECK(wrong == 0);
}
