// SPDX-License-Identifier: Apache-2.0
#include "sources/syslog/syslog_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace streamd::syslog {
namespace {

constexpr Duration kLookEvery = Duration::from_seconds(1);
// What of epoll's data says that a descriptor is no connection; the rest is an index.
constexpr std::uint64_t kDatagram = std::uint64_t{1} << 32, kListener = std::uint64_t{1} << 33;

std::string stored(const Positions& positions, const std::string& partition) {
  const auto found = positions.find(partition);
  return found == positions.end() ? std::string() : found->second;
}

}  // namespace

SyslogReader::SyslogReader(Share share, unsigned number, const ReaderOptions& options,
                           const SourceContext& context)
    : share_(std::move(share)),
      partition_(fmt::format("syslog/{}", number)),
      clock_(*context.clock),
      numbers_(stored(context.resume_at, partition_), *context.clock),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      intake_(MessageBlock(options.envelope, context.max_record), options.limits, context.log),
      datagrams_(intake_),
      streams_(options.streams, epoll_.descriptor(), options.open, intake_) {}

Status SyslogReader::watch() {
  for (std::size_t i = 0; i < share_.datagrams.size(); ++i)
    STREAMD_TRY(watch(share_.datagrams[i].socket, kDatagram | i));
  for (std::size_t i = 0; i < share_.listeners.size(); ++i)
    STREAMD_TRY(watch(share_.listeners[i].socket, kListener | i));
  return {};
}

Status SyslogReader::watch(const net::Socket& socket, std::uint64_t data) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = data;
  if (::epoll_ctl(epoll_.descriptor(), EPOLL_CTL_ADD, socket.descriptor(), &event) == 0) return {};
  return fail(ErrorKind::internal, "a socket can't be watched");
}

Result<Pull> SyslogReader::pull(const PullLimits& limits, RawBatch& out) {
  out.clear();
  const Duration now = clock_.monotonic();
  intake_.begin(out, limits.max_records, clock_.wall(), now);
  const bool busy = work(0);
  if (out.records.empty() && !busy && limits.max_wait > Duration{})
    work(static_cast<int>(std::min<std::int64_t>((limits.max_wait.micros + 999) / 1000, 60'000)));
  if (now - looked_at_ >= kLookEvery) look(now);
  intake_.finish();
  caught_up_ = !busy && out.records.empty();
  if (out.records.empty()) return Pull::idle;
  numbers_.number(out.records);
  return Pull::data;
}

void SyslogReader::partitions(std::vector<PartitionState>& out) {
  out.push_back({0, numbers_.position(), caught_up_, false});
}

// True when something was there.
bool SyslogReader::work(int wait_millis) {
  if (!datagrams_.drain() || !streams_.drain()) return true;
  if (next_event_ == event_count_) {
    const int count = ::epoll_wait(epoll_.descriptor(), events_.data(), kEvents, wait_millis);
    next_event_ = 0;
    event_count_ = std::max(count, 0);
  }
  const bool any = next_event_ < event_count_;
  while (next_event_ < event_count_ && !intake_.full())
    handle(events_[static_cast<std::size_t>(next_event_++)].data.u64);
  return any;
}

void SyslogReader::handle(std::uint64_t data) {
  const auto index = static_cast<std::uint32_t>(data);
  if ((data & kDatagram) != 0)
    datagrams_.receive(share_.datagrams[index]);
  else if ((data & kListener) != 0)
    streams_.accept_from(share_.listeners[index].socket, share_.listeners[index].rules);
  else
    streams_.ready(static_cast<int>(index));
}

void SyslogReader::look(Duration now) {
  looked_at_ = now;
  for (DatagramSocket& socket : share_.datagrams) datagrams_.count_drops(socket);
  streams_.sweep();
  intake_.notes().tell(now);
}

}  // namespace streamd::syslog
