// SPDX-License-Identifier: Apache-2.0
// DeadLetters: collects the records that a worker's nodes could not use and turns them into batches
// of dead_letter_schema() for the dead-letter sink. One per worker, its thread only.
#pragma once

#include "engine/api/emitter.h"
#include "engine/core/arena.h"
#include "engine/core/batch.h"
#include "engine/core/schema.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

class DeadLetters {
 public:
  // The data is copied, all of it. time: EventTime::min() = not known.
  void add(std::string_view node, const Fault& fault, const Origin& origin, std::uint64_t position,
           EventTime time, std::string_view data);
  bool empty() const { return rows_.empty(); }
  std::size_t size() const { return rows_.size(); }
  // Of their data: each part of a large record holds all of it.
  std::size_t bytes() const { return bytes_; }
  // Everything collected so far, in the columns of `schema`; starts anew.
  Batch take(const Schema& schema);

  // How many may wait to be taken in the middle of a batch, besides the last one.
  static constexpr std::size_t kMostBytes = 16 << 20;

 private:
  struct Row {
    std::string_view node, code, reason, source, partition, data;
    std::uint64_t position;
    EventTime time;
    unsigned attempts;
    bool text;  // data is valid UTF-8
  };
  std::shared_ptr<Arena> arena_ = std::make_shared<Arena>();
  std::vector<Row> rows_;
  std::size_t bytes_ = 0;
};

}  // namespace streamd
