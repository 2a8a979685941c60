// SPDX-License-Identifier: Apache-2.0
// Intake: the one way of a message from any socket of a reader into its batch, past the limit of
// its sender; and what is counted and told on the way. One thread.
#pragma once

#include "engine/io/net/socket.h"
#include "sources/syslog/message_block.h"
#include "sources/syslog/notes.h"
#include "sources/syslog/sender_limits.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace streamd::syslog {

// Who sent it.
struct Sender {
  std::array<char, 16> address{};
  std::array<char, net::kAddressBytes> text{};
  std::size_t size = 0;

  explicit Sender() = default;
  explicit Sender(const sockaddr_storage& from) { set(from); }
  void set(const sockaddr_storage& from) {
    net::address_bytes(from, address.data());
    size = net::print_address(from, text.data());
  }
  std::string_view name() const { return {text.data(), size}; }
};

class Intake {
 public:
  Intake(MessageBlock block, std::shared_ptr<SenderLimits> limits, Notes::Log log)
      : block_(std::move(block)), limits_(std::move(limits)), notes_(std::move(log)) {}

  void begin(RawBatch& out, std::size_t max_records, EventTime arrival, Duration now) {
    out_ = &out;
    now_ = now;
    full_ = false;
    block_.begin(out, max_records, arrival);
  }
  // False: there is no room, the same message again in the next batch.
  bool offer(const Sender& sender, std::string_view text, bool too_long) {
    if (!block_.fits(sender.name(), text)) {
      full_ = true;
      return false;
    }
    if (limits_->take(sender.address.data(), now_))
      return block_.add(sender.name(), text, too_long);
    ++out_->throttled;
    notes_.add(Note::throttled, 1, sender.name());
    return true;
  }
  void lost_by_kernel(std::uint64_t datagrams, std::string_view where) {
    out_->expired += datagrams;
    notes_.add(Note::kernel_drops, datagrams, where);
  }
  void finish() { block_.finish(); }

  bool full() const { return full_; }
  Duration now() const { return now_; }
  Notes& notes() { return notes_; }

 private:
  MessageBlock block_;
  std::shared_ptr<SenderLimits> limits_;  // also of other readers
  Notes notes_;
  RawBatch* out_ = nullptr;
  Duration now_{};
  bool full_ = false;
};

}  // namespace streamd::syslog
