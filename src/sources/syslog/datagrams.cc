// SPDX-License-Identifier: Apache-2.0
#include "sources/syslog/datagrams.h"

#include <array>
#include <cstring>

namespace streamd::syslog {
namespace {

constexpr unsigned kAtOnce = 128;
constexpr int kTurns = 8;  // calls before the next socket's turn
constexpr std::size_t kLongest = 64 * 1024;
// Not a multiple of a page: slots that begin at the same place of a page fight for the same lines
// of the cache.
constexpr std::size_t kStride = kLongest + 17 * 64;

}  // namespace

struct Datagrams::Slots {
  std::unique_ptr<char[]> bytes = std::make_unique_for_overwrite<char[]>(kAtOnce * kStride);
  std::array<mmsghdr, kAtOnce> messages{};
  std::array<iovec, kAtOnce> places{};
  std::array<sockaddr_storage, kAtOnce> from{};

  void prepare() {
    for (unsigned i = 0; i < kAtOnce; ++i) {
      places[i] = {bytes.get() + i * kStride, kLongest};
      msghdr& head = messages[i].msg_hdr;
      head = {};
      head.msg_iov = &places[i];
      head.msg_iovlen = 1;
      head.msg_name = &from[i];
      head.msg_namelen = sizeof from[i];
    }
  }
};

Datagrams::Datagrams(Intake& intake) : intake_(intake) {}
Datagrams::~Datagrams() = default;

bool Datagrams::drain() {
  for (; next_ < count_; ++next_) {
    const mmsghdr& message = slots_->messages[next_];
    sockaddr_storage& from = slots_->from[next_];
    // Unix sockets have no address, or one that says nothing.
    if (message.msg_hdr.msg_namelen < sizeof(sa_family_t)) from.ss_family = AF_UNSPEC;
    sender_.set(from);
    const std::string_view text(static_cast<const char*>(slots_->places[next_].iov_base),
                                message.msg_len);
    if (!intake_.offer(sender_, text, (message.msg_hdr.msg_flags & MSG_TRUNC) != 0)) return false;
  }
  return true;
}

void Datagrams::receive(const DatagramSocket& from) {
  if (!slots_) slots_ = std::make_unique<Slots>();
  for (int turn = 0; turn < kTurns; ++turn) {
    slots_->prepare();
    const int got = ::recvmmsg(from.socket.descriptor(), slots_->messages.data(), kAtOnce,
                               MSG_DONTWAIT, nullptr);
    next_ = 0;
    count_ = got > 0 ? static_cast<unsigned>(got) : 0;
    if (!drain() || count_ < kAtOnce) return;
  }
}

void Datagrams::count_drops(DatagramSocket& socket) {
  const std::uint32_t now = net::dropped_by_kernel(socket.socket);
  const std::uint32_t more = now - socket.dropped;
  if (more == 0) return;
  socket.dropped = now;
  intake_.lost_by_kernel(more, socket.name);
}

}  // namespace streamd::syslog
