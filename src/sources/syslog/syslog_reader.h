// SPDX-License-Identifier: Apache-2.0
// SyslogReader: reads the sockets of one worker, directly and without a thread of its own: while
// the worker is busy the kernel's buffers fill, TCP senders wait and UDP datagrams are dropped and
// counted. One partition, "syslog/N". Called by its worker only.
#pragma once

#include "engine/api/source.h"
#include "sources/arrival_numbers.h"
#include "sources/syslog/datagrams.h"
#include "sources/syslog/streams.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <sys/epoll.h>
#include <vector>

namespace streamd::syslog {

struct Listener {
  net::Socket socket;
  std::shared_ptr<const http::TlsRules> rules;  // null: plain TCP
};

// The sockets of one reader.
struct Share {
  std::vector<DatagramSocket> datagrams;
  std::vector<Listener> listeners;
  bool empty() const { return datagrams.empty() && listeners.empty(); }
};

struct ReaderOptions {
  bool envelope = true;
  StreamLimits streams;
  // Of all readers of the source: what each sender may send, and how many connections there are.
  std::shared_ptr<SenderLimits> limits;
  std::shared_ptr<std::atomic<std::uint64_t>> open;
};

class SyslogReader final : public Reader {
 public:
  SyslogReader(Share share, unsigned number, const ReaderOptions& options,
               const SourceContext& context);
  // Once, before the first pull.
  Status watch();

  Result<Pull> pull(const PullLimits& limits, RawBatch& out) override;
  void partitions(std::vector<PartitionState>& out) override;
  std::string partition_name(std::uint32_t) const override { return partition_; }

 private:
  Status watch(const net::Socket& socket, std::uint64_t data);
  bool work(int wait_millis);
  void handle(std::uint64_t data);
  void look(Duration now);

  static constexpr int kEvents = 256;
  Share share_;
  const std::string partition_;
  const Clock& clock_;
  ArrivalNumbers numbers_;
  net::Socket epoll_;
  Intake intake_;
  Datagrams datagrams_;
  Streams streams_;
  std::array<epoll_event, kEvents> events_{};
  int next_event_ = 0, event_count_ = 0;
  Duration looked_at_{};
  bool caught_up_ = false;
};

}  // namespace streamd::syslog
