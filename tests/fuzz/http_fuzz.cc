// SPDX-License-Identifier: Apache-2.0
// The first byte chooses: a URL and a reference on it, headers' values, or an answer that arrives
// in pieces and is decompressed.
#include "engine/core/check.h"
#include "engine/io/http/answer.h"
#include "engine/io/http/body.h"
#include "engine/io/http/headers.h"
#include "engine/io/http/url.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace streamd;
using namespace streamd::http;

constexpr std::uint64_t kLimit = 1 << 20;

void parse_urls(std::string_view text) {
  const std::size_t line = text.find('\n');
  const auto url = Url::parse(text.substr(0, line));
  (void)redacted(text);
  if (!url) return;
  STREAMD_CHECK(!url->host.empty() && url->port != 0, "a URL has a host and a port");
  for (const char c : url->target)
    STREAMD_CHECK(c > 0x20 && c < 0x7F, "a target fits into a request line");
  const auto again = Url::parse(url->text());
  STREAMD_CHECK(again, "what was parsed can be parsed again");
  STREAMD_CHECK(again->text() == url->text(), "and means the same");
  if (line == std::string_view::npos) return;
  const auto next = join(*url, text.substr(line + 1));
  if (!next) return;
  STREAMD_CHECK(next->same_origin(*url) || !next->has_credentials(), "credentials stay at home");
  STREAMD_CHECK(Url::parse(next->text()), "a joined URL can be parsed");
}

// Hands out the input in pieces whose sizes the input chooses.
class FuzzWire final : public Wire {
 public:
  explicit FuzzWire(std::string_view bytes, std::size_t piece) : rest_(bytes), piece_(piece) {}
  Try<std::string_view> read(const Wait&) override {
    const std::string_view now = rest_.substr(0, piece_);
    rest_.remove_prefix(now.size());
    return now;
  }
  Try<void> write(std::string_view, std::string_view, const Wait&) override { return {}; }

 private:
  std::string_view rest_;
  const std::size_t piece_;
};

void read_answer(std::string_view bytes, std::size_t piece, bool without_body) {
  FuzzWire wire(bytes, piece);
  const Wait wait{from_now(Duration::from_seconds(60)), {}};
  Answer answer(wire, without_body);
  if (!answer.read_head(wait)) return;
  STREAMD_CHECK(answer.status() >= 0 && answer.status() <= 999, "a status has three digits");
  (void)parse_retry_after(answer.headers().get("Retry-After"), EventTime{0});
  const auto decoder = BodyDecoder::make(answer.headers().get("Content-Encoding"));
  if (!decoder) return;
  std::string body;
  while (true) {
    const auto more = answer.read_more(wait);
    if (!more || !(*decoder)->feed(answer.body(), !*more, kLimit, body)) return;
    STREAMD_CHECK(body.size() <= kLimit, "the limit holds after decompression too");
    if (!*more) break;
  }
  STREAMD_CHECK(answer.complete(), "a body that ends is complete");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  switch (data[0] % 4) {
    case 0: parse_urls(text); break;
    case 1: (void)parse_retry_after(text, EventTime{0}); break;
    case 2: read_answer(text, data[1] + std::size_t{1}, false); break;
    default: read_answer(text, data[1] + std::size_t{1}, true); break;
  }
  return 0;
}
