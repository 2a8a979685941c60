// SPDX-License-Identifier: Apache-2.0
#include "sources/syslog/message_block.h"

#include "engine/codec/syslog_message.h"

#include <algorithm>
#include <cstring>

namespace streamd::syslog {
namespace {

// What a dead letter shows of a message that is too long.
constexpr std::size_t kShown = 64 * 1024;

}  // namespace

void MessageBlock::begin(RawBatch& out, std::size_t max_records, EventTime arrival) {
  out_ = &out;
  max_records_ = max_records;
  arrival_ = arrival;
  used_ = 0;
}

bool MessageBlock::add(std::string_view peer, std::string_view text, bool too_long) {
  if (!fits(peer, text)) return false;
  too_long = too_long || text.size() > max_record_;
  if (too_long) text = text.substr(0, kShown);
  const std::size_t head = envelope_ ? peer.size() + 2 : 0;
  const std::size_t bytes = head + text.size();
  if (!block_ || used_ + bytes > size_) {
    size_ = std::max(kBlockBytes, bytes);
    block_ = pool_.take(size_);
    used_ = 0;
  }
  char* const at = block_.get() + used_;
  if (envelope_) {
    at[0] = kSyslogHead;
    std::memcpy(at + 1, peer.data(), peer.size());
    at[head - 1] = kSyslogText;
  }
  std::memcpy(at + head, text.data(), text.size());
  RawRecord record;
  record.data = {at, bytes};
  record.arrival = arrival_;
  if (too_long) record.fault = "too-long";
  out_->records.push_back(record);
  used_ += bytes;
  return true;
}

void MessageBlock::finish() {
  if (out_->records.empty()) return;  // the block waits for the next batch
  out_->buffer = std::move(block_);
  out_->padding = kBlockPadding;
  block_.reset();
}

}  // namespace streamd::syslog
