// SPDX-License-Identifier: Apache-2.0
#include <netdb.h>
#include <streamd/plugin.hpp>

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

struct Config {
  std::string listen;
  std::uint16_t port = 0;
  sd::Bytes receive_buffer = {4 << 20};
  sd::Bytes max_size = {65'507};
};

class Socket {
 public:
  Socket() = default;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (number_ >= 0) ::close(number_);
  }
  void take(int number) { number_ = number; }
  int number() const { return number_; }

 private:
  int number_ = -1;
};

std::string reason() { return std::strerror(errno); }

class UdpSource : public sd::Source<Config> {
 public:
  static constexpr std::string_view kDecode = "text";
  static sd::Spec<Config> spec();

  // The position is how many datagrams came: those that came while nobody listened are gone.
  void open(std::string_view position) {
    std::from_chars(position.data(), position.data() + position.size(), count_);
    bind_socket();
    const auto room = static_cast<std::size_t>(config().max_size.count);
    bytes_.resize(kAtOnce * room);
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      parts_[i] = {bytes_.data() + i * room, room};
      messages_[i].msg_hdr = {};
      messages_[i].msg_hdr.msg_iov = &parts_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
      messages_[i].msg_hdr.msg_control = controls_[i].data();
    }
  }

  sd::Pulled pull(std::size_t max_records, sd::Duration max_wait, sd::Feed& feed) {
    if (!readable(max_wait)) return sd::Pulled::idle;
    std::size_t got = 0;
    while (got < max_records) {
      const std::size_t room = std::min(max_records - got, kAtOnce);
      for (std::size_t i = 0; i < room; ++i)
        messages_[i].msg_hdr.msg_controllen = controls_[i].size();
      const int now = recvmmsg(socket_.number(), messages_.data(), static_cast<unsigned>(room),
                               MSG_DONTWAIT, nullptr);
      if (now < 0 && errno == EINTR) continue;
      if (now <= 0) break;
      const sd::Time arrival = wall_clock();
      for (std::size_t i = 0; i < static_cast<std::size_t>(now); ++i) {
        note_drops(messages_[i].msg_hdr);
        if ((messages_[i].msg_hdr.msg_flags & MSG_TRUNC) != 0) ++cut_;
        feed.record({bytes_.data() + i * parts_[i].iov_len, messages_[i].msg_len}, count_++,
                    arrival);
      }
      got += static_cast<std::size_t>(now);
      if (static_cast<std::size_t>(now) < room) break;
    }
    tell_losses();
    return got > 0 ? sd::Pulled::more : sd::Pulled::idle;
  }

  std::string position() const { return std::to_string(count_); }

 private:
  static constexpr std::size_t kAtOnce = 32;

  void bind_socket() {
    const std::string port = std::to_string(config().port);
    const std::string where = "[" + config().listen + "]:" + port;
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST;
    addrinfo* found = nullptr;
    if (getaddrinfo(config().listen.c_str(), port.c_str(), &hints, &found) != 0)
      throw sd::Failed("\"" + config().listen + "\" is no address",
                       "write one of this machine, such as 127.0.0.1, 0.0.0.0 or ::");
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
    socket_.take(socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (socket_.number() < 0) throw sd::Retry("no socket for " + where + ": " + reason());
    const int buffer = static_cast<int>(config().receive_buffer.count), on = 1;
    setsockopt(socket_.number(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    setsockopt(socket_.number(), SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
    if (bind(socket_.number(), found->ai_addr, found->ai_addrlen) == 0) return;
    const std::string message = "cannot listen on " + where + ": " + reason();
    if (errno == EADDRINUSE) throw sd::Retry(message, "end the program that listens there");
    throw sd::Failed(message, "give `listen` an address of this machine");
  }

  bool readable(sd::Duration max_wait) const {
    pollfd poll_for{socket_.number(), POLLIN, 0};
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(max_wait).count();
    return poll(&poll_for, 1, static_cast<int>(std::min<std::int64_t>(wait, 1000))) > 0;
  }

  // The kernel counts what found no room in the socket's buffer.
  void note_drops(msghdr& header) {
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part))
      if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_RXQ_OVFL)
        std::memcpy(&dropped_, CMSG_DATA(part), sizeof dropped_);
  }

  // Not more than a line in ten seconds.
  void tell_losses() {
    if (dropped_ == told_dropped_ && cut_ == told_cut_) return;
    if (wall_clock() < told_at_ + std::chrono::seconds(10)) return;
    if (dropped_ != told_dropped_)
      log(sd::Level::warning, std::to_string(dropped_ - told_dropped_) +
                                  " datagrams were lost: make receive_buffer larger, and "
                                  "net.core.rmem_max with it");
    if (cut_ != told_cut_)
      log(sd::Level::warning,
          std::to_string(cut_ - told_cut_) + " datagrams were cut off: make max_size larger");
    told_dropped_ = dropped_;
    told_cut_ = cut_;
    told_at_ = wall_clock();
  }

  Socket socket_;
  std::vector<char> bytes_;
  std::array<iovec, kAtOnce> parts_{};
  std::array<mmsghdr, kAtOnce> messages_{};
  struct alignas(cmsghdr) Control : std::array<char, CMSG_SPACE(sizeof(std::uint32_t))> {};
  std::array<Control, kAtOnce> controls_{};
  std::uint64_t count_ = 0, cut_ = 0, told_cut_ = 0;
  std::uint32_t dropped_ = 0, told_dropped_ = 0;
  sd::Time told_at_{};
};

sd::Spec<Config> UdpSource::spec() {
  return sd::Spec<Config>("udp")
      .summary("Makes a record of each datagram that comes to a UDP port.")
      .details(
          "Nobody sends a datagram twice: what comes while streamd does not run, or faster than it "
          "reads, is lost. The kernel counts the latter, and the log tells it.")
      .promise("at most once: a datagram cannot be asked for again")
      .field(&Config::listen, {.name = "listen",
                               .help = "The address of this machine.",
                               .required = true,
                               .example = "127.0.0.1"})
      .field(&Config::port, {.name = "port",
                             .help = "The UDP port.",
                             .required = true,
                             .example = "5140",
                             .least = 1,
                             .most = 65'535})
      .field(&Config::receive_buffer, {.name = "receive_buffer",
                                       .help = "What the kernel may hold for streamd.",
                                       .advanced = true,
                                       .least = 4096,
                                       .most = 1 << 30})
      .field(&Config::max_size, {.name = "max_size",
                                 .help = "Longer datagrams are cut off.",
                                 .advanced = true,
                                 .least = 1,
                                 .most = 65'507})
      .example("Lines of text", "listen: 127.0.0.1\nport: 5140");
}

}  // namespace

STREAMD_PLUGIN(sd::plugin("udp_source", "1.0.0", "Datagrams as records.").add<UdpSource>())
