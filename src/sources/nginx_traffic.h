// SPDX-License-Identifier: Apache-2.0
// NginxTraffic: made-up nginx access events. Record n is a pure function of the configuration and
// n, so a stream can be resumed anywhere, cut into partitions, and written again byte for byte.
//
// In the stream: clients by a Zipf-like law; each minute of event time one attacker that sends some
// 40 requests within 5 s; every 90 s a host that answers 4xx for 15 s.
#pragma once

#include "engine/core/time.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

struct TrafficConfig {
  std::uint64_t rate = 1000;  // records per second of event time; at least 1
  std::uint64_t seed = 1;
  std::uint64_t clients = 100'000;         // at least 1
  std::uint64_t hosts = 40;                // at least 1
  std::uint64_t attackers = 5;             // 0 = none
  double skew = 0.5;                       // exponent of the clients' law; 0 = all alike
  EventTime start{1'704'067'200'000'000};  // 2024-01-01T00:00:00Z
  Duration disorder{};                     // a record's time may be up to this much earlier
};

// Const after construction; any number of threads may write().
class NginxTraffic {
 public:
  // No record is longer.
  static constexpr std::size_t kMaxBytes = 320;

  explicit NginxTraffic(const TrafficConfig& config);

  // Writes record `index` as one JSON object, without line end. `to` has room for kMaxBytes.
  // Returns the number of bytes.
  std::size_t write(std::uint64_t index, char* to) const;
  // When record `index` happens, before disorder. Never falls with the index.
  EventTime time(std::uint64_t index) const;

 private:
  struct Text {  // padded, so that a copy has a fixed size
    std::array<char, 31> bytes{};
    std::uint8_t size = 0;
  };
  struct Client {
    Text address;
    std::uint8_t country = 0;
    std::uint32_t alias = 0;      // the client that gets the other part of this slot
    std::uint32_t threshold = 0;  // of 2^32: below it the slot is the client's own
  };

  static Text make_text(std::string_view text);
  static char* put(char* to, const Text& text);
  void build_clients();
  void build_alias();
  std::size_t pick_client(std::uint64_t bits) const;

  TrafficConfig config_;
  std::vector<Client> clients_;
  std::vector<Text> attackers_;
  std::vector<Text> hosts_;
  std::vector<Text> request_times_;
  std::array<Text, 256> statuses_;
  std::array<Text, 64> methods_;
  std::uint64_t attack_share_ = 0;  // of 2^16: how many records of a burst are the attacker's
};

}  // namespace streamd
