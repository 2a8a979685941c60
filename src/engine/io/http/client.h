// SPDX-License-Identifier: Apache-2.0
// Client: all outgoing HTTP of streamd. HTTP/1.1 over TCP and TLS, with a pool of connections.
//
//   auto client = Client::make(options_of(config), clock);            // config.h
//   Request request{.method = "POST", .url = url, .body = bulk, .idempotent = true};
//   authorize(config, request);
//   auto response = (*client)->send(request, stop);
//
// What an Error says: `message` names what failed and where, as host:port, never a path, a query or
// credentials (Request::shown_as adds to that); `hint` what to do; `retry` whether time may heal
// it. A response with any status, 429 and 500 too, is a Response and no Error. `kind` is external;
// data where the answer is too large, and config where the request can't be sent.
//
//   | fault                                                   | retry   |
//   |---------------------------------------------------------|---------|
//   | name unknown, refused, unreachable, timeout, closed     | backoff |
//   | garbage instead of HTTP, broken gzip                    | backoff |
//   | certificate expired, for another host, of an unknown CA | never   |
//   | our certificate refused                                 | never   |
//   | larger than max_response, too many or unsafe redirects  | never   |
//   | a request that can't be sent (bad header)               | never   |
//   | stopped: `stop` was requested, the message is "stopped" | backoff |
#pragma once

#include "engine/core/clock.h"
#include "engine/core/error.h"
#include "engine/core/time.h"
#include "engine/io/http/headers.h"
#include "engine/io/http/url.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace streamd::http {

struct Request {
  std::string method = "GET";
  Url url;          // user and password become Authorization: Basic unless the headers have one
  Headers headers;  // Host, Content-Length and the like are made here; User-Agent may be given
  std::string body = {};

  // What errors call this request instead of "POST host:port": `Discord webhook "alerts"`. Must not
  // hold secrets.
  std::string shown_as = {};
  // Sends the body compressed (Content-Encoding: gzip).
  bool gzip_body = false;
  // Whether it may be sent a second time when a connection of the pool turns out to be closed and
  // nobody knows what arrived. Not given: true for GET, HEAD, PUT, DELETE, OPTIONS.
  std::optional<bool> idempotent = {};
  bool follow_redirects = true;
  // Not given: the client's.
  std::optional<Duration> timeout =
      {};  // everything until the last byte; open(): until the headers
  std::optional<std::uint64_t> max_response = {};  // bytes of the body, also after decompression
};

// Compresses the body at once and says so in the headers, for who signs what is sent; gzip_body is
// off then.
void compress_body(Request& request);

struct Response {
  int status = 0;
  Headers headers;
  std::string body;  // decompressed
  std::optional<Duration> retry_after;
  Url url;  // of the last redirect; without credentials of another origin
  // What of the request nobody may read, should the body repeat it: see without_echo() (echo.h).
  std::vector<std::string> secrets;

  bool ok() const { return status >= 200 && status < 300; }
};

struct ClientOptions {
  std::string ca_file;    // PEM; "" = the system's certificates
  std::string cert_file;  // PEM chain, with key_file: who we are (mutual TLS)
  std::string key_file;
  bool insecure_skip_verify = false;  // takes any certificate
  // "" = http_proxy, https_proxy, all_proxy and no_proxy of the environment; "none" = no proxy; or
  // http://user:password@host:port for everything.
  std::string proxy;
  std::string user_agent = "streamd";
  Duration connect_timeout = Duration::from_seconds(10);  // name, TCP, proxy and TLS together
  Duration timeout = Duration::from_seconds(30);
  Duration keep_alive_idle = Duration::from_seconds(30);  // older ones are not used again
  std::uint32_t max_redirects = 5;
  std::uint32_t connections_per_host = 8;  // send() waits for a free one; streams count too
  std::uint64_t max_response = std::uint64_t{64} << 20;
  // Looks a name up, as addresses ("192.0.2.1", "2001:db8::1"); empty function: the system's.
  // Called on a helper thread that nobody waits for, so it may outlive the client.
  std::function<Result<std::vector<std::string>>(const std::string& host)> resolve;
};

// A response whose body does not end. One thread.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual int status() const = 0;
  virtual const Headers& headers() const = 0;
  virtual std::optional<Duration> retry_after() const = 0;

  struct Piece {
    std::size_t bytes = 0;
    bool end = false;  // the far side has finished in order
  };
  // Up to `capacity` (> 0) bytes of the decompressed body as soon as there are any. bytes == 0
  // without end: nothing came within `timeout`, and reading may go on. Errors end the stream: the
  // connection closed early, it broke HTTP or gzip, or the stop token of open() was requested.
  virtual Result<Piece> read(char* to, std::size_t capacity, Duration timeout) = 0;
  // What is left, at most `limit` bytes, for a body that is an error message. It stops without
  // error where `timeout` or a closed connection cuts it.
  virtual std::string rest(std::size_t limit, Duration timeout) = 0;
};

// Who answers a client's requests where there is no network (stand_in.h). One thread at a time.
class Answerer {
 public:
  virtual ~Answerer() = default;
  virtual Result<Response> send(const Request& request) = 0;
  virtual Result<std::unique_ptr<Stream>> open(const Request& request) = 0;
};

// Thread-safe: any number of threads share the connections. Nothing throws. A call returns within
// 100 ms after `stop` was requested, whatever it waits for.
class Client {
 public:
  // Reads the certificate files; Error (config) names the file that can't be used. `clock` (dates
  // in Retry-After, idle connections) must live as long as the client.
  static Result<std::unique_ptr<Client>> make(ClientOptions options, const Clock& clock);
  // A client that opens no connection and asks `answerer` instead.
  static std::unique_ptr<Client> answered_by(std::unique_ptr<Answerer> answerer);
  // No call may be under way; streams may outlive the client.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Redirects: GET and HEAD follow all, other methods only 303 (as GET); never from https to http;
  // another origin gets neither credentials nor headers other than Accept and User-Agent. A
  // redirect that is not followed is the response.
  Result<Response> send(const Request& request, std::stop_token stop);
  // Returns when the headers are there. `stop` also ends later reads.
  Result<std::unique_ptr<Stream>> open(const Request& request, std::stop_token stop);

  // Connections made since the start, for tests and counters.
  std::uint64_t connections_made() const;

 private:
  struct Inside;
  Client(std::shared_ptr<Inside> inside, std::unique_ptr<Answerer> answerer);
  const std::shared_ptr<Inside> inside_;      // null with an answerer
  const std::unique_ptr<Answerer> answerer_;  // null over the network
};

}  // namespace streamd::http
