// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/client.h"

#include "engine/io/http/body.h"
#include "engine/io/http/echo.h"
#include "engine/io/http/exchange.h"
#include "engine/io/http/stream.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd::http {
namespace {

// Fast: the network is seldom slower than a better compression.
constexpr int kGzipLevel = 1;
// A redirect's own text that is read so that the connection can be used again.
constexpr std::uint64_t kRedirectText = 64 * 1024;

bool is_repeatable(const Request& request) {
  if (request.idempotent) return *request.idempotent;
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
    if (request.method == method) return true;
  return false;
}

// Where the answer sends us; "": nowhere that we go.
std::string_view redirect_of(const Outgoing& out, Answer& answer) {
  const int status = answer.status();
  const bool harmless = out.method == "GET" || out.method == "HEAD";
  const bool moved = status == 301 || status == 302 || status == 307 || status == 308;
  if (status != 303 && !(moved && harmless)) return {};
  return answer.headers().get("Location");
}

// Reads the rest of an answer and puts its connection back.
Try<void> finish(Exchange& on, std::uint64_t limit, const Wait& wait) {
  while (true) {
    if (on.answer->body().size() > limit) return too_large(limit);
    const auto more = on.answer->read_more(wait);
    if (!more) return tl::unexpected(more.error());
    if (!*more) break;
  }
  const bool again = on.answer->keeps_alive();
  if (again) on.slot.give_back();
  return {};
}

Try<void> follow(Outgoing& out, std::string_view location) {
  const auto next = join(out.url, location);
  if (!next) {
    return trouble(Fault::redirect, "it redirects to something that is no usable URL", {}, false);
  }
  if (out.url.tls && !next->tls) {
    return trouble(Fault::redirect,
                   fmt::format("it redirects from https to http ({})", next->host_port()),
                   "give the final URL yourself if that is meant", false);
  }
  static const std::string kNoBody;
  if (!next->same_origin(out.url)) {
    Headers harmless;
    for (const char* name : {"Accept", "Accept-Encoding", "User-Agent"})
      if (const std::string* value = out.headers.find(name)) harmless.add(name, *value);
    out.headers = std::move(harmless);
  }
  if (out.method != "HEAD") out.method = "GET";
  for (const char* name : {"Content-Type", "Content-Encoding"}) out.headers.remove(name);
  out.body = &kNoBody;
  out.repeatable = true;
  out.url = *next;
  return {};
}

}  // namespace

struct Client::Inside : Parts {
  using Parts::Parts;
};

namespace {

// The request with all its redirects, up to the headers of the last answer.
struct Call {
  Call(Parts& client, const Request& wanted, std::stop_token stop)
      : parts(client), request(wanted), wait{from_now(timeout()), std::move(stop)} {
    out.method = request.method;
    out.url = request.url;
    out.headers = request.headers;
    out.body = &request.body;
    out.repeatable = is_repeatable(request);
    if (!request.gzip_body || request.body.empty()) return;
    append_gzip(request.body, kGzipLevel, packed);
    out.headers.set("Content-Encoding", "gzip");
    out.body = &packed;
  }

  Duration timeout() const { return request.timeout.value_or(parts.options.timeout); }
  std::uint64_t limit() const { return request.max_response.value_or(parts.options.max_response); }

  Try<Exchange> run() {
    if (auto status = check(out); !status) return tl::unexpected(std::move(status).error());
    for (std::uint32_t followed = 0;; ++followed) {
      auto on = exchange(parts, out, wait);
      if (!on) return on;
      const std::string location(redirect_of(out, *on->answer));
      if (!request.follow_redirects || location.empty()) return on;
      if (followed == parts.options.max_redirects) {
        return trouble(Fault::redirect, fmt::format("it redirects more than {} times", followed),
                       {}, false);
      }
      // The connection is closed where its rest can't be had.
      (void)finish(*on, kRedirectText, wait);
      if (auto status = follow(out, location); !status)
        return tl::unexpected(std::move(status).error());
    }
  }

  std::optional<Duration> retry_after(Answer& answer) const {
    return parse_retry_after(answer.headers().get("Retry-After"), parts.clock.wall());
  }

  Try<Response> respond() {
    auto on = run();
    if (!on) return tl::unexpected(std::move(on).error());
    Answer& answer = *on->answer;
    auto decoder = BodyDecoder::make(answer.headers().get("Content-Encoding"));
    if (!decoder) return tl::unexpected(std::move(decoder).error());
    Response response;
    response.status = answer.status();
    response.retry_after = retry_after(answer);
    const bool plain = (*decoder)->plain() || out.method == "HEAD";
    if (const auto length = answer.content_length(); length && out.method != "HEAD") {
      if (*length > limit()) return too_large(limit());
      if (plain) answer.body().reserve(*length);
    }
    if (auto status = finish_decoded(*on, plain ? nullptr : decoder->get(), response.body); !status)
      return tl::unexpected(std::move(status).error());
    response.headers = std::move(answer.headers());
    if (!plain) {
      response.headers.remove("Content-Encoding");
      response.headers.remove("Content-Length");
    }
    response.url = out.url;
    response.secrets = secrets_of(request, parts.proxies.proxy_for(out.url));
    // What is for people, and no data.
    if (!response.ok() || response.headers.get("Content-Type").starts_with("text/html"))
      response.body = without_echo(response);
    return response;
  }

  Try<void> finish_decoded(Exchange& on, BodyDecoder* decoder, std::string& body) {
    Answer& answer = *on.answer;
    if (decoder == nullptr) {
      const auto status = finish(on, limit(), wait);
      body = std::move(answer.body());
      return status;
    }
    bool more = true;
    while (more) {
      const auto read = answer.read_more(wait);
      if (!read) return tl::unexpected(read.error());
      more = *read;
      if (auto status = decoder->feed(answer.body(), !more, limit(), body); !status) return status;
    }
    if (answer.keeps_alive()) on.slot.give_back();
    return {};
  }

  // What errors call the request, with the place where it is now.
  std::string shown() const {
    return fmt::format("{} {}", request.shown_as.empty() ? request.method : request.shown_as,
                       out.url.host_port());
  }
  tl::unexpected<Error> error(const Trouble& trouble) const {
    return tl::unexpected<Error>(to_error(trouble, shown()));
  }

  Parts& parts;
  const Request& request;
  const Wait wait;
  std::string packed;
  Outgoing out;
};

}  // namespace

void compress_body(Request& request) {
  request.gzip_body = false;
  if (request.body.empty()) return;
  std::string packed;
  append_gzip(request.body, kGzipLevel, packed);
  request.body = std::move(packed);
  request.headers.set("Content-Encoding", "gzip");
}

Client::Client(std::shared_ptr<Inside> inside, std::unique_ptr<Answerer> answerer)
    : inside_(std::move(inside)), answerer_(std::move(answerer)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::make(ClientOptions options, const Clock& clock) {
  options.connections_per_host = std::max(1u, options.connections_per_host);
  auto rules = ProxyRules::make(options.proxy, ProxyRules::system());
  if (!rules) return tl::unexpected(std::move(rules).error());
  auto tls = Tls::make(options);
  if (!tls) return tl::unexpected(std::move(tls).error());
  return std::unique_ptr<Client>(new Client(
      std::make_shared<Inside>(std::move(options), std::move(*rules), std::move(*tls), clock),
      nullptr));
}

std::unique_ptr<Client> Client::answered_by(std::unique_ptr<Answerer> answerer) {
  return std::unique_ptr<Client>(new Client(nullptr, std::move(answerer)));
}

Result<Response> Client::send(const Request& request, std::stop_token stop) {
  if (answerer_) return answerer_->send(request);
  Call call(*inside_, request, std::move(stop));
  auto response = call.respond();
  if (!response) return call.error(response.error());
  return std::move(*response);
}

Result<std::unique_ptr<Stream>> Client::open(const Request& request, std::stop_token stop) {
  if (answerer_) return answerer_->open(request);
  Call call(*inside_, request, std::move(stop));
  auto on = call.run();
  if (!on) return call.error(on.error());
  Answer& answer = *on->answer;
  auto decoder = BodyDecoder::make(answer.headers().get("Content-Encoding"));
  if (!decoder) return call.error(decoder.error());
  const auto retry_after = call.retry_after(answer);
  return std::unique_ptr<Stream>(std::make_unique<OpenStream>(
      inside_, std::move(*on), std::move(*decoder), retry_after, call.shown(), call.wait.stop));
}

std::uint64_t Client::connections_made() const {
  return inside_ ? inside_->connections_made.load() : 0;
}

}  // namespace streamd::http
