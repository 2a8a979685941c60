// SPDX-License-Identifier: Apache-2.0
#include "engine/io/control/server.h"

#include "engine/io/control/unix_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace streamd::control {
namespace {

constexpr int kTurnMillis = 20;
constexpr int kFarewellMillis = 5;
constexpr int kUsage = 2;

struct Client {
  net::Socket socket;
  std::string request;
  std::unique_ptr<Session> session;
  Answer answer;
  bool asked = false;  // the request is complete
  bool gone = false;
  Duration since{};  // it came, or last read something of what waits for it
};

class RunningServer final : public Server {
 public:
  RunningServer(std::string path, net::Socket listener, net::Socket wake, Handler handler,
                const Clock& clock, ServerLimits limits)
      : path_(std::move(path)),
        listener_(std::move(listener)),
        wake_(std::move(wake)),
        handler_(std::move(handler)),
        clock_(clock),
        limits_(limits),
        thread_([this](const std::stop_token& stop) { serve(stop); }) {}

  ~RunningServer() override {
    thread_.request_stop();
    const std::uint64_t one = 1;
    (void)!::write(wake_.descriptor(), &one, sizeof one);
    thread_.join();
    ::unlink(path_.c_str());
  }

 private:
  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      wait();
      accept();
      for (auto& client : clients_) turn(client);
      std::erase_if(clients_, [](const Client& client) { return client.gone; });
    }
    farewell();
  }

  // Until somebody comes, or a turn when somebody is there.
  void wait() {
    std::vector<pollfd> events{{listener_.descriptor(), POLLIN, 0},
                               {wake_.descriptor(), POLLIN, 0}};
    for (const auto& client : clients_)
      if (!client.asked) events.push_back({client.socket.descriptor(), POLLIN, 0});
    (void)::poll(events.data(), events.size(), clients_.empty() ? -1 : kTurnMillis);
  }

  void accept() {
    for (;;) {
      net::Socket socket(
          ::accept4(listener_.descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!socket) {
        // Out of descriptors, say: whoever waits would wake this thread again at once.
        if (errno != EAGAIN && errno != EWOULDBLOCK) (void)::poll(nullptr, 0, kTurnMillis);
        return;
      }
      Client client;
      client.socket = std::move(socket);
      client.since = clock_.monotonic();
      if (clients_.size() >= limits_.clients) {
        client.answer.err(
            fmt::format("error: {} clients are being answered already", limits_.clients));
        client.answer.finish(1);
        send(client);
        continue;
      }
      clients_.push_back(std::move(client));
    }
  }

  void turn(Client& client) {
    if (client.asked)
      listen_for_end(client);
    else
      read_request(client);
    if (client.gone) return;
    if (client.session && !client.answer.finished() &&
        client.answer.bytes().size() < limits_.unread_bytes)
      client.session->work(client.answer);
    send(client);
    if (client.answer.finished() && client.answer.bytes().empty()) client.gone = true;
    if (client.answer.bytes().empty() && client.asked) client.since = clock_.monotonic();
    if (clock_.monotonic() - client.since >
        (client.asked ? limits_.stalled : limits_.request_within))
      client.gone = true;
  }

  void read_request(Client& client) {
    std::array<char, 4096> block;
    for (;;) {
      const auto count = ::recv(client.socket.descriptor(), block.data(), block.size(), 0);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
      if (count <= 0) {
        client.gone = true;
        return;
      }
      client.request.append(block.data(), static_cast<std::size_t>(count));
      if (begin(client)) return;
    }
  }

  // True when the request needs no more bytes.
  bool begin(Client& client) {
    auto request = parse_request(client.request);
    if (request && !*request) return false;
    client.asked = true;
    client.since = clock_.monotonic();
    std::string().swap(client.request);
    if (request) {
      client.session = handler_(**request, client.answer);
      return true;
    }
    client.answer.err(
        fmt::format("error: {}\n  = help: {}", request.error().message, request.error().hint));
    client.answer.finish(kUsage);
    return true;
  }

  // Nothing more is expected of a client but that it goes.
  static void listen_for_end(Client& client) {
    std::array<char, 256> ignored;
    const auto count = ::recv(client.socket.descriptor(), ignored.data(), ignored.size(), 0);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
      client.gone = true;
  }

  void send(Client& client) {
    while (!client.answer.bytes().empty()) {
      const auto& bytes = client.answer.bytes();
      const auto count =
          ::send(client.socket.descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
      if (count < 0) {
        client.gone = true;
        return;
      }
      client.answer.sent(static_cast<std::size_t>(count));
      client.since = clock_.monotonic();
    }
  }

  // What waits is sent as far as clients take it at once; who is slow must not hold up the end.
  void farewell() {
    for (auto& client : clients_)
      if (client.session && !client.answer.finished()) client.session->end(client.answer);
    for (std::int64_t left = limits_.farewell.micros; left > 0; left -= kFarewellMillis * 1000) {
      bool waiting = false;
      for (auto& client : clients_) {
        if (client.gone) continue;
        send(client);
        waiting = waiting || (!client.gone && !client.answer.bytes().empty());
      }
      if (!waiting) break;
      (void)::poll(nullptr, 0, kFarewellMillis);
    }
    clients_.clear();
  }

  const std::string path_;
  const net::Socket listener_, wake_;
  const Handler handler_;
  const Clock& clock_;
  const ServerLimits limits_;
  std::vector<Client> clients_;
  std::jthread thread_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::open(const std::string& path, Handler handler,
                                             const Clock& clock, ServerLimits limits) {
  auto listener = listen_in_file(path);
  if (!listener) return tl::unexpected(std::move(listener).error());
  net::Socket wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake)
    return fail(ErrorKind::external, fmt::format("{}: no eventfd: {}", path, std::strerror(errno)));
  return std::make_unique<RunningServer>(path, std::move(*listener), std::move(wake),
                                         std::move(handler), clock, limits);
}

}  // namespace streamd::control
