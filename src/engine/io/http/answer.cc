// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/answer.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <fmt/format.h>

#include <limits>

namespace streamd::http {
namespace {

namespace beast = boost::beast;
using beast::error_code;

constexpr std::uint32_t kHeaderLimit = 64 * 1024;
constexpr int kMostInterim = 16;
constexpr int kSwitchingProtocols = 101;

class Parser final : public beast::http::basic_parser<false> {
 public:
  Parser() {
    header_limit(kHeaderLimit);
    // Who takes the body counts. Not "none", which Boost 1.74 takes for less than any length.
    body_limit(std::numeric_limits<std::uint64_t>::max());
    eager(true);
  }

  int status = 0;
  Headers headers;
  std::string body;

 private:
  void on_request_impl(beast::http::verb, beast::string_view, beast::string_view, int,
                       error_code&) override {}
  void on_response_impl(int code, beast::string_view, int, error_code&) override { status = code; }
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                     error_code&) override {
    // Fields behind a chunked body.
    if (in_body_) return;
    headers.add({name.data(), name.size()}, {value.data(), value.size()});
  }
  void on_header_impl(error_code&) override { in_body_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(beast::string_view piece, error_code&) override {
    body.append(piece.data(), piece.size());
    return piece.size();
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view piece, error_code&) override {
    body.append(piece.data(), piece.size());
    return piece.size();
  }
  void on_finish_impl(error_code&) override {}

  bool in_body_ = false;
};

tl::unexpected<Trouble> closed_early(bool begun) {
  return trouble(Fault::closed, begun ? "the connection was closed in the middle of the answer"
                                      : "the connection was closed without an answer");
}

tl::unexpected<Trouble> bad_answer(const error_code& code) {
  using beast::http::error;
  if (code == error::header_limit) {
    return trouble(Fault::too_large,
                   fmt::format("the answer's headers are larger than {} KiB", kHeaderLimit / 1024),
                   {}, false);
  }
  return trouble(Fault::garbage, fmt::format("the answer is no valid HTTP ({})", code.message()),
                 "check that host and port are those of an HTTP service");
}

}  // namespace

struct Answer::State {
  State(Wire& from, bool no_body) : wire(from), without_body(no_body) { renew(); }

  void renew() {
    parser.emplace();
    parser->skip(without_body);
  }

  // Gives the parser what it can use; returns how much that was.
  Try<std::size_t> parse(std::string_view data) {
    std::size_t used = 0;
    while (used < data.size() && !parser->is_done()) {
      error_code code;
      const std::size_t n =
          parser->put(boost::asio::buffer(data.data() + used, data.size() - used), code);
      used += n;
      if (code == beast::http::error::need_more) break;
      if (code) return bad_answer(code);
      if (n == 0) break;
    }
    if (data.size() - used > 2 * kHeaderLimit && !parser->is_done())
      return bad_answer(beast::http::error::header_limit);
    return used;
  }

  // What arrives for the body is parsed where it lies.
  Try<void> take(std::string_view fresh) {
    begun = true;
    const bool direct = unparsed.empty();
    if (!direct) unparsed += fresh;
    const auto used = parse(direct ? fresh : std::string_view(unparsed));
    if (!used) return tl::unexpected(used.error());
    if (direct)
      unparsed = fresh.substr(*used);
    else
      unparsed.erase(0, *used);
    return {};
  }

  Try<void> take_more(const Wait& wait) {
    const auto got = wire.read(wait);
    if (!got) {
      if (got.error().fault == Fault::closed && begun && !ended_by_close())
        return closed_early(begun);
      return tl::unexpected(got.error());
    }
    if (!got->empty()) return take(*got);
    if (!begun || !parser->is_header_done()) return closed_early(begun);
    error_code code;
    parser->put_eof(code);
    if (code) return closed_early(begun);
    return {};
  }

  bool ended_by_close() const { return parser->is_header_done() && parser->need_eof(); }

  // Behind an interim response stands the next one.
  Try<void> skip_interim() {
    for (int skipped = 0; parser->is_header_done() && parser->status / 100 == 1; ++skipped) {
      if (parser->status == kSwitchingProtocols || skipped == kMostInterim) {
        return trouble(Fault::garbage, "the answer switches to another protocol",
                       "check that host and port are those of an HTTP service");
      }
      renew();
      if (auto status = take({}); !status) return status;
    }
    return {};
  }

  Wire& wire;
  const bool without_body;
  std::optional<Parser> parser;
  std::string unparsed;
  bool begun = false;
};

Answer::Answer(Wire& wire, bool without_body)
    : state_(std::make_unique<State>(wire, without_body)) {}
Answer::~Answer() = default;
Answer::Answer(Answer&&) noexcept = default;
Answer& Answer::operator=(Answer&&) noexcept = default;

Try<void> Answer::read_head(const Wait& wait) {
  State& s = *state_;
  while (!s.parser->is_header_done()) {
    if (auto status = s.take_more(wait); !status) return status;
    if (auto status = s.skip_interim(); !status) return status;
  }
  return {};
}

Try<bool> Answer::read_more(const Wait& wait) {
  State& s = *state_;
  if (s.parser->is_done()) return false;
  if (auto status = s.take_more(wait); !status) return tl::unexpected(status.error());
  return true;
}

int Answer::status() const { return state_->parser->status; }
Headers& Answer::headers() { return state_->parser->headers; }
std::string& Answer::body() { return state_->parser->body; }
bool Answer::has_begun() const { return state_->begun; }
bool Answer::complete() const { return state_->parser->is_done(); }

std::optional<std::uint64_t> Answer::content_length() const {
  const auto length = state_->parser->content_length();
  if (!length) return std::nullopt;
  return *length;
}

bool Answer::keeps_alive() const {
  const State& s = *state_;
  return s.parser->is_done() && s.parser->keep_alive() && s.unparsed.empty();
}

}  // namespace streamd::http
