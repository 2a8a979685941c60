// SPDX-License-Identifier: Apache-2.0
// RecordBatches: walks the record batches of one partition as a broker sends and stores them
// (version 2; Kafka's documentation, "Message Format"), record by record, in their order. Checks
// each batch's CRC-32C, unpacks it, and leaves out transaction markers and the records of aborted
// transactions. No I/O. One thread. Included only in this folder.
#pragma once

#include "engine/io/kafka/unpack.h"
#include "engine/io/kafka/wire.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace streamd::kafka {

// A transaction whose records are there and do not count.
struct Aborted {
  std::int64_t producer = 0;
  std::int64_t first_offset = 0;
};

struct BatchRecord {
  std::int64_t offset = 0;
  std::int64_t millis = -1;  // since 1970; -1: not known
  bool tombstone = false;    // no value
  std::string_view value;    // valid until the next call
};

class RecordBatches {
 public:
  enum class Step : std::uint8_t {
    record,
    damaged,      // `value` has the bytes of a batch of which this and all that follows can't be
                  // read, `offset` is its last record's; the next call goes on behind it
    unsupported,  // a batch of another version or codec, or a head that makes no sense; final
    end,
  };

  // What was asked for from offset `from` on. `bytes` stay where they are until the end. The last
  // batch may be cut short: it is not read.
  void begin(std::string_view bytes, std::int64_t from, std::vector<Aborted> aborted);
  // Records before `from` come, too, where a batch begins before it.
  Step next(BatchRecord& out);

  // Behind the last record of the last whole batch, where the next fetch begins; `from` when there
  // is none. Looks only at the batches' heads.
  static std::int64_t behind(std::string_view bytes, std::int64_t from);

 private:
  bool open_batch();  // false: a Step other than record, in fault_
  bool is_aborted(bool transactional, bool control, std::int64_t producer,
                  std::string_view records);
  Step give_up(BatchRecord& out);

  std::string_view bytes_;  // batches that were not opened yet
  std::int64_t from_ = 0;
  bool first_ = true;
  std::vector<Aborted> aborted_;  // those from next_aborted_ on begin later
  std::size_t next_aborted_ = 0;
  std::vector<std::int64_t> open_;  // producers in an aborted transaction here
  Unpacker unpacker_;

  // The open batch
  std::string_view batch_;
  WireReader records_;
  std::int32_t left_ = 0;
  std::int64_t base_offset_ = 0, last_offset_ = 0, base_millis_ = 0, next_offset_ = 0;
  bool one_time_ = false;  // the broker's, for all records
  Step fault_ = Step::end;
};

}  // namespace streamd::kafka
