// SPDX-License-Identifier: Apache-2.0
// Datagrams: receives from the UDP and unix sockets of one reader, many with one call. One thread.
#pragma once

#include "engine/io/net/socket.h"
#include "sources/syslog/intake.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace streamd::syslog {

struct DatagramSocket {
  net::Socket socket;
  std::string name;
  std::uint32_t dropped = 0;  // by the kernel, as far as it was counted
};

class Datagrams {
 public:
  explicit Datagrams(Intake& intake);
  ~Datagrams();

  // Receives until the socket is empty, the batch is full or it is the next one's turn. Whatever
  // was received before has been handed over by drain().
  void receive(const DatagramSocket& from);
  // Hands over what did not fit into the last batch. False: still not all.
  bool drain();
  void count_drops(DatagramSocket& socket);

 private:
  struct Slots;
  Intake& intake_;
  std::unique_ptr<Slots> slots_;
  unsigned next_ = 0, count_ = 0;
  Sender sender_;
};

}  // namespace streamd::syslog
