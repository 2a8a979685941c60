// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/broker_link.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace streamd::kafka {
namespace {

// librdkafka's own limit (receive.message.max.bytes).
constexpr std::size_t kLongestAnswer = 100'000'000;
constexpr std::size_t kCorrelationBytes = 4;
// A broker answers after FetchLimits::wait_ms at the latest, if it answers at all.
constexpr Duration kSilence = Duration::from_seconds(30);

}  // namespace

BrokerLink::BrokerLink(std::int32_t broker, std::string name, net::Socket socket)
    : broker_(broker), name_(std::move(name)), socket_(std::move(socket)) {}

Result<std::unique_ptr<BrokerLink>> BrokerLink::connect(std::int32_t broker, std::string host,
                                                        std::uint16_t port, Duration limit,
                                                        const std::stop_token& stop) {
  net::Endpoint endpoint;
  endpoint.transport = net::Transport::tcp;
  endpoint.host = std::move(host);
  endpoint.port = port;
  auto socket = net::connect_to(endpoint, limit, stop);
  if (!socket) return tl::unexpected(std::move(socket).error());
  const int yes = 1;
  ::setsockopt(socket->descriptor(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  std::unique_ptr<BrokerLink> link(
      new BrokerLink(broker, fmt::format("broker {}:{}", endpoint.host, port), std::move(*socket)));
  STREAMD_TRY(link->handshake(limit, stop));
  return link;
}

Status BrokerLink::handshake(Duration limit, const std::stop_token& stop) {
  write_versions_request(++correlation_, request_);
  waiting_ = true;
  while (waiting_) {
    STREAMD_TRY(serve({}));
    if (waiting_ && !net::wait_for(socket_, sending(), limit, stop))
      return lost("it does not answer");
  }
  if (takes_fetch({answer_.get(), size_}, correlation_)) return {};
  return fail(ErrorKind::external, fmt::format("{} does not take our Fetch requests", name_));
}

void BrokerLink::ask(const FetchLimits& limits, const std::vector<FetchWish>& wishes,
                     Duration now) {
  request_.clear();
  sent_ = received_ = 0;
  write_fetch_request(++correlation_, limits, wishes, request_);
  waiting_ = true;
  heard_at_ = now;
}

Status BrokerLink::serve(Duration now) {
  if (!waiting_) return {};
  STREAMD_TRY(send());
  const std::size_t before = received_;
  STREAMD_TRY(receive());
  if (received_ > before) heard_at_ = now;
  if (waiting_ && now - heard_at_ > kSilence) return lost("it does not answer");
  return {};
}

Status BrokerLink::send() {
  while (sending()) {
    const auto sent = ::send(socket_.descriptor(), request_.data() + sent_, request_.size() - sent_,
                             MSG_NOSIGNAL);
    if (sent > 0) {
      sent_ += static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return {};
    } else if (errno != EINTR) {
      return lost("sending", errno);
    }
  }
  return {};
}

Status BrokerLink::receive() {
  while (waiting_) {
    const bool head = received_ < kLengthBytes;
    char* const to = head ? length_ + received_ : answer_.get() + received_ - kLengthBytes;
    const std::size_t wanted = (head ? 0 : size_) + kLengthBytes - received_;
    const auto got = ::recv(socket_.descriptor(), to, wanted, 0);
    if (got == 0) return lost("it has closed the connection");
    if (got < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return {};
      if (errno == EINTR) continue;
      return lost("receiving", errno);
    }
    received_ += static_cast<std::size_t>(got);
    if (received_ == kLengthBytes) STREAMD_TRY(receive_length());
    waiting_ = received_ < kLengthBytes || received_ < kLengthBytes + size_;
  }
  if (from_big_endian<std::int32_t>(answer_.get()) != correlation_)
    return lost("it answers something else");
  return {};
}

Status BrokerLink::receive_length() {
  const auto size = from_big_endian<std::int32_t>(length_);
  if (size < static_cast<std::int32_t>(kCorrelationBytes) ||
      static_cast<std::size_t>(size) > kLongestAnswer)
    return lost("its answer has an impossible length");
  size_ = static_cast<std::size_t>(size);
  if (size_ <= capacity_) return {};
  answer_ = std::make_unique_for_overwrite<char[]>(size_);
  capacity_ = size_;
  return {};
}

Status BrokerLink::lost(const char* why, int code) const {
  return tl::unexpected(Error{ErrorKind::external,
                              Retry::backoff,
                              code == 0
                                  ? fmt::format("{}: {}", name_, why)
                                  : fmt::format("{}: {}: {}", name_, why, std::strerror(code)),
                              {}});
}

}  // namespace streamd::kafka
