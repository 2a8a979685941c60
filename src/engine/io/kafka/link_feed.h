// SPDX-License-Identifier: Apache-2.0
// LinkFeed: records that the worker fetches by itself from the leaders of its partitions, over the
// connections that the group's control thread makes for it (links.cc). The next answer is asked for
// before the records of the one at hand are looked at, so that broker and worker work side by side.
// Included only in this folder.
#pragma once

#include "engine/io/kafka/broker_link.h"
#include "engine/io/kafka/feed.h"
#include "engine/io/kafka/group.h"
#include "engine/io/kafka/record_batches.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::kafka {

class LinkFeed final : public Feed {
 public:
  // `group` outlives it.
  LinkFeed(Group& group, WorkerLanes& lanes) : group_(group), lanes_(lanes) {}

  void fill(std::size_t at_most) override;
  void wait(Duration limit) override;

 private:
  struct Line {
    std::unique_ptr<BrokerLink> link;
    bool asked;  // an answer is under way or there
  };
  // One partition of the answer that is walked. Its bytes are the link's, which keeps them as it is
  // not served before the walk is over.
  struct Part {
    Slot* slot;
    std::int64_t from, behind;  // first offset, and the one after the last
    FetchedPartition fetched;
  };

  void begin_assignment();
  // Takes up the next answer that is there as a whole, and asks for the one after it. False: none.
  bool next_answer();
  bool note(FetchAnswer answer);
  void note_error(Slot& slot, std::int16_t error);
  void ask(Line& line, Duration now);
  void lose(std::size_t line, const std::string& why);
  // One record, or what stands for some that can't be read. False: the answer has no more.
  bool walk();
  bool begin_part();
  void keep(Slot& slot, const BatchRecord& record, std::string_view fault);

  Group& group_;
  WorkerLanes& lanes_;
  std::uint64_t assignment_ = 0;  // that everything below belongs to
  std::vector<Line> lines_;
  std::size_t turn_ = 0;  // which partition is asked for first
  std::vector<FetchWish> wishes_;
  std::vector<Part> parts_;
  std::size_t part_ = 0;
  bool walking_ = false;  // batches_ are those of parts_[part_]
  RecordBatches batches_;
};

}  // namespace streamd::kafka
