// SPDX-License-Identifier: Apache-2.0
#include "sinks/syslog/wire.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace streamd::syslog_out {
namespace {

using delivery::Answer;
using delivery::Item;
using delivery::Verdict;
using Step = http::TlsSession::Step;

Answer again(const Error& error) {
  Answer answer;
  answer.kind = error.retry == Retry::never ? Answer::Kind::blocked : Answer::Kind::again;
  answer.message = error.message;
  answer.hint = error.hint;
  return answer;
}

}  // namespace

Wire::Wire(const Config& config, std::shared_ptr<const http::TlsRules> rules)
    : config_(config), rules_(std::move(rules)) {}
Wire::~Wire() { hang_up(); }

void Wire::hang_up() {
  if (tls_) tls_->finish();
  tls_.reset();
  socket_.close();
}

Status Wire::wait(bool write, Duration limit, const std::stop_token& stop) {
  if (net::wait_for(socket_, write, limit, stop)) return {};
  return fail_for_now(
      stop.stop_requested()
          ? std::string("stopped")
          : fmt::format("{}: it takes nothing for {}", config_.to.text(), format_duration(limit)));
}

Status Wire::shake_hands(const std::stop_token& stop) {
  tls_ = http::tls_connect(rules_, socket_.descriptor(), config_.to.host);
  if (!tls_) return fail_for_now(fmt::format("{}: TLS can't be set up", config_.to.text()));
  for (;;) {
    const Step step = tls_->handshake();
    if (step == Step::done) return {};
    if (step == Step::closed || step == Step::failed) {
      Error error = step == Step::failed
                        ? tls_->trouble()
                        : Error{ErrorKind::external, Retry::backoff, "it has closed", {}};
      return in_context(std::move(error), config_.to.text());
    }
    STREAMD_TRY(wait(step == Step::wait_write, config_.connect_timeout, stop));
  }
}

Status Wire::connect(const std::stop_token& stop) {
  auto socket = net::connect_to(config_.to, config_.connect_timeout, stop);
  if (!socket) return tl::unexpected(std::move(socket).error());
  socket_ = std::move(*socket);
  return rules_ ? shake_hands(stop) : Status{};
}

bool Wire::still_there() {
  if (!socket_) return false;
  char byte = 0;
  if (!tls_) {
    const ssize_t got = ::recv(socket_.descriptor(), &byte, 1, MSG_DONTWAIT);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
  }
  std::size_t got = 0;
  const Step step = tls_->read(&byte, 1, got);
  return step != Step::closed && step != Step::failed;
}

Status Wire::write_all(std::string_view bytes, const std::stop_token& stop) {
  while (!bytes.empty()) {
    std::size_t put = 0;
    bool reads = false;
    if (tls_) {
      const Step step = tls_->write(bytes.data(), bytes.size(), put);
      if (step == Step::failed) return in_context(tls_->trouble(), config_.to.text());
      if (step == Step::closed) return fail_for_now(config_.to.text() + ": it has closed");
      reads = step == Step::wait_read;
    } else {
      const ssize_t sent =
          ::send(socket_.descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno != EAGAIN && errno != EINTR)
        return fail_for_now(fmt::format("{}: {}", config_.to.text(), std::strerror(errno)));
      put = sent < 0 ? 0 : static_cast<std::size_t>(sent);
    }
    bytes.remove_prefix(put);
    if (put == 0) STREAMD_TRY(wait(!reads, config_.timeout, stop));
  }
  return {};
}

Answer Wire::send(std::span<const Item> items, const std::stop_token& stop) {
  if (config_.to.stream() && !still_there()) hang_up();
  if (!socket_) {
    if (const Status status = connect(stop); !status) {
      hang_up();
      return again(status.error());
    }
  }
  return config_.to.stream() ? send_stream(items, stop) : send_datagrams(items, stop);
}

Answer Wire::send_stream(std::span<const Item> items, const std::stop_token& stop) {
  buffer_.clear();
  for (const Item& item : items) {
    if (config_.framing == Framing::counted)
      buffer_ += fmt::format_int(item.document.size()).str() + ' ';
    buffer_ += item.document;
    if (config_.framing == Framing::lf) buffer_ += '\n';
  }
  if (const Status status = write_all(buffer_, stop); !status) {
    hang_up();
    return again(status.error());
  }
  Answer answer;
  answer.items.resize(items.size());
  return answer;
}

Answer Wire::send_datagrams(std::span<const Item> items, const std::stop_token& stop) {
  Answer answer;
  answer.items.resize(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string_view text = items[i].document;
    for (;;) {
      if (::send(socket_.descriptor(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
        break;
      const int code = errno;
      if (code == EINTR) continue;
      if ((code == EAGAIN || code == ENOBUFS) && wait(true, config_.timeout, stop)) continue;
      if (code == EMSGSIZE) {
        answer.items[i] = {Verdict::Kind::refused, "too-large",
                           fmt::format("{} bytes are too many for a datagram", text.size())};
        break;
      }
      hang_up();
      for (std::size_t k = i; k < items.size(); ++k)
        answer.items[k] = {Verdict::Kind::again, "unreachable",
                           fmt::format("{}: {}", config_.to.text(), std::strerror(code))};
      return answer;
    }
  }
  return answer;
}

}  // namespace streamd::syslog_out
