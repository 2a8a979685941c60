// SPDX-License-Identifier: Apache-2.0
#include "sources/syslog/streams.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/epoll.h>
#include <utility>

namespace streamd::syslog {
namespace {

constexpr std::size_t kRead = 256 * 1024;
// An unfinished message up to this long is copied in front of what comes next; a longer one stays
// where it is.
constexpr std::size_t kSmall = 4096;
// Of unfinished messages, in one reader.
constexpr std::size_t kMostWaiting = std::size_t{64} << 20;
constexpr int kAcceptsAtOnce = 256;
// What waits for so long to be read waits for this process, which a sink has held up, say.
constexpr Duration kOurTurn = Duration::from_seconds(1);

bool has_unread(const net::Socket& socket) {
  char byte = 0;
  return ::recv(socket.descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

net::Socket open_spare() { return net::Socket(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

struct Streams::Connection {
  Connection(net::Socket s, const sockaddr_storage& from, const StreamLimits& limits, Duration now)
      : socket(std::move(s)),
        sender(from),
        cutter(limits.framing, limits.max_record),
        last_data(now) {}

  net::Socket socket;
  Sender sender;
  FrameCutter cutter;
  std::string waiting;  // of a message
  std::unique_ptr<http::TlsSession> tls;
  bool shaking = false, writes = false;
  Duration last_data;
  std::optional<Duration> begun;  // the message at hand
  std::uint64_t desynchronised = 0;
};

Streams::Streams(const StreamLimits& limits, int epoll,
                 std::shared_ptr<std::atomic<std::uint64_t>> open, Intake& intake)
    : limits_(limits),
      epoll_(epoll),
      open_(std::move(open)),
      intake_(intake),
      spare_(open_spare()) {}

Streams::~Streams() { *open_ -= count_; }

void Streams::accept_from(const net::Socket& listener,
                          std::shared_ptr<const http::TlsRules> rules) {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    net::Socket socket(::accept4(listener.descriptor(), reinterpret_cast<sockaddr*>(&from), &size,
                                 SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket) {
      add(std::move(socket), from, rules);
    } else if (errno == EMFILE || errno == ENFILE) {
      spare_.close();
      const net::Socket refused(::accept4(listener.descriptor(), nullptr, nullptr, SOCK_CLOEXEC));
      intake_.notes().add(Note::no_accept, 1, "one");
      spare_ = open_spare();
      return;
    } else if (errno != ECONNABORTED && errno != EINTR) {
      return;
    }
  }
}

void Streams::add(net::Socket socket, const sockaddr_storage& from,
                  const std::shared_ptr<const http::TlsRules>& rules) {
  auto made = std::make_unique<Connection>(std::move(socket), from, limits_, intake_.now());
  if (open_->fetch_add(1) >= limits_.max_connections) {
    --*open_;
    return intake_.notes().add(Note::too_many, 1, made->sender.name());
  }
  const int descriptor = made->socket.descriptor();
  if (rules) {
    made->tls = http::tls_accept(rules, descriptor);
    made->shaking = true;
    made->begun = intake_.now();
  }
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP;
  event.data.u64 = static_cast<std::uint64_t>(descriptor);
  if ((rules && !made->tls) || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) {
    --*open_;
    return intake_.notes().add(Note::no_accept, 1, made->sender.name());
  }
  const auto at = static_cast<std::size_t>(descriptor);
  if (by_descriptor_.size() <= at) by_descriptor_.resize(at + 1);
  by_descriptor_[at] = std::move(made);
  ++count_;
}

void Streams::close(Connection& c) {
  if (c.tls && !c.shaking) c.tls->finish();
  waiting_ -= c.waiting.size();
  --count_;
  --*open_;
  by_descriptor_[static_cast<std::size_t>(c.socket.descriptor())].reset();
}

void Streams::watch(Connection& c, bool write) {
  if (c.writes == write) return;
  c.writes = write;
  epoll_event event{};
  event.events = static_cast<std::uint32_t>(EPOLLIN | EPOLLRDHUP) | (write ? EPOLLOUT : 0u);
  event.data.u64 = static_cast<std::uint64_t>(c.socket.descriptor());
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, c.socket.descriptor(), &event);
}

void Streams::ready(int descriptor) {
  const auto at = static_cast<std::size_t>(descriptor);
  if (at >= by_descriptor_.size() || !by_descriptor_[at]) return;
  Connection& c = *by_descriptor_[at];
  if (c.shaking && !shake_hands(c)) return;
  read(c);
}

// True when it is over and went well.
bool Streams::shake_hands(Connection& c) {
  const auto step = c.tls->handshake();
  if (step == http::TlsSession::Step::done) {
    c.shaking = false;
    c.begun.reset();
    watch(c, false);
    return true;
  }
  if (step_of(c, step) == Got::end) close(c);
  return false;
}

Streams::Got Streams::step_of(Connection& c, http::TlsSession::Step step) {
  using Step = http::TlsSession::Step;
  switch (step) {
    case Step::done: watch(c, false); return Got::bytes;
    case Step::wait_read: watch(c, false); return Got::nothing;
    case Step::wait_write: watch(c, true); return Got::nothing;
    case Step::closed: return Got::end;
    case Step::failed: break;
  }
  std::string who(c.sender.name());
  who += ": " + c.tls->trouble().message;
  intake_.notes().add(Note::tls, 1, who);
  return Got::end;
}

Streams::Got Streams::receive(Connection& c, char* to, std::size_t room, std::size_t& got) {
  got = 0;
  if (c.tls) return step_of(c, c.tls->read(to, room, got));
  const ssize_t bytes = ::recv(c.socket.descriptor(), to, room, MSG_DONTWAIT);
  if (bytes > 0) {
    got = static_cast<std::size_t>(bytes);
    return Got::bytes;
  }
  if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return Got::nothing;
  return Got::end;
}

void Streams::read(Connection& c) {
  if (!scratch_) scratch_ = std::make_unique_for_overwrite<char[]>(kSmall + kRead);
  const std::size_t before = c.waiting.size();
  const bool small = before <= kSmall;
  const std::size_t room = small ? kRead : std::min(kRead, before);
  if (!small) c.waiting.resize(before + room);
  char* const base = small ? scratch_.get() : c.waiting.data();
  std::size_t got = 0;
  const Got how = receive(c, base + before, room, got);
  if (!small) c.waiting.resize(before + got);
  if (how == Got::nothing) return;
  if (small) std::memcpy(base, c.waiting.data(), before);
  if (got > 0) c.last_data = intake_.now();
  waiting_ += small ? 0 : got;
  hand_ = {&c, {base, before + got}, small, how == Got::end, {}};
  cut();
}

bool Streams::cut() {
  Connection& c = *hand_.connection;
  for (;;) {
    if (!hand_.frame) hand_.frame = c.cutter.next(hand_.rest);
    if (!hand_.frame && hand_.end) {
      hand_.frame = c.cutter.rest(hand_.rest);
      hand_.rest = {};
    }
    if (!hand_.frame) break;
    if (!intake_.offer(c.sender, hand_.frame->text, hand_.frame->too_long)) return false;
    hand_.frame.reset();
    c.begun.reset();
  }
  put_down();
  return true;
}

// What is left of the bytes in hand waits in the connection.
void Streams::put_down() {
  Connection& c = *hand_.connection;
  if (hand_.end) {
    hand_ = {};
    return close(c);
  }
  const std::size_t before = c.waiting.size();
  if (hand_.scratch)
    c.waiting.assign(hand_.rest);
  else
    c.waiting.erase(0, before - hand_.rest.size());
  hand_ = {};
  waiting_ += c.waiting.size();
  waiting_ -= before;
  if (c.waiting.size() <= kSmall && c.waiting.capacity() > 4 * kSmall) c.waiting.shrink_to_fit();
  if (const std::uint64_t lost = c.cutter.desynchronised(); lost > c.desynchronised) {
    intake_.notes().add(Note::no_length, lost - c.desynchronised, c.sender.name());
    c.desynchronised = lost;
  }
  if (!c.cutter.inside()) {
    c.begun.reset();
  } else if (!c.begun) {
    c.begun = intake_.now();
  }
  if (c.waiting.size() > kSmall && waiting_ > kMostWaiting) {
    intake_.notes().add(Note::too_much, 1, c.sender.name());
    return close(c);
  }
  if (c.tls && c.tls->has_more()) hot_.push_back(c.socket.descriptor());
}

bool Streams::drain() {
  if (hand_.connection != nullptr && !cut()) return false;
  // Each once: a connection that always has more must not hold up the others.
  const std::vector<int> hot = std::exchange(hot_, {});
  for (std::size_t i = 0; i < hot.size(); ++i) {
    if (hand_.connection != nullptr) {
      hot_.insert(hot_.end(), hot.begin() + static_cast<std::ptrdiff_t>(i), hot.end());
      return false;
    }
    ready(hot[i]);
  }
  return hand_.connection == nullptr;
}

void Streams::sweep() {
  const Duration now = intake_.now();
  for (const auto& connection : by_descriptor_) {
    if (!connection || connection.get() == hand_.connection) continue;
    Connection& c = *connection;
    const bool slow = c.begun && now - *c.begun > limits_.message_timeout;
    if (!slow && now - c.last_data <= limits_.idle_timeout) continue;
    if (now - c.last_data >= kOurTurn && has_unread(c.socket)) {
      c.last_data = now;
      if (c.begun) c.begun = now;
      continue;
    }
    if (hand_.connection != nullptr) continue;
    if (slow) intake_.notes().add(Note::too_slow, 1, c.sender.name());
    hand_ = {&c, c.waiting, false, true, {}};
    if (!cut()) return;
  }
}

}  // namespace streamd::syslog
