// SPDX-License-Identifier: Apache-2.0
// Feed: what every source that asks a service over HTTP has in common. A thread of its own calls
// the protocol (Fetcher) and fills a bounded queue of blocks; the Reader of worker 0 empties it.
//
// Outages. An error with Retry::backoff is told once (WARN), retried with back-off, and told once
// more when it is over ("healed"); the reader is idle meanwhile, and event time stands still. Any
// other error is handed to the engine behind the records that came before it.
//
// Positions. A Fetcher's own text names the place of a block. After a part of a block the stored
// position is "<at>+<records>~<print of them>": a restart fetches the block again and leaves out
// that many records, if they are the same ones; otherwise (the far side changed them) all of the
// block is handed out again. "+" must not occur in a Fetcher's texts.
#pragma once

#include "engine/api/source.h"
#include "engine/core/backoff.h"
#include "engine/core/clock.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::http {

// Some records and where they are. `batch.partition` is not used.
struct FeedBlock {
  RawBatch batch;  // records may be none: only the position moves on
  Position at;     // fetching from here gives these records again; "" when nobody can
  Position after;  // fetching from here gives what follows
};

// How a call of Fetcher::fetch went when it went well.
struct Turn {
  enum class What : std::uint8_t {
    block,    // a block was filled
    nothing,  // the far side has answered, or is known to be there, and has no more for now
    quiet,    // nothing is known: an answer is being waited for, or it is not time yet
    end,      // that was all, for ever
  };
  What what = What::quiet;
  bool more = false;  // block: more is there already, the source is not caught up
  Duration pause{};   // before the next call
};

// A protocol. Only the feed's thread calls it.
class Fetcher {
 public:
  virtual ~Fetcher() = default;
  // One step, at most one request or one read. `block` is empty. What it sends away must not be
  // counted before it returns well: after an error the same step is asked for again.
  virtual Result<Turn> fetch(FeedBlock& block, std::stop_token stop) = 0;
  // After an error: how long the far side wants to be left alone.
  virtual std::optional<Duration> asked_wait() const { return {}; }
};

struct FeedOptions {
  std::string partition;  // its name, also the key of stored positions
  Position start;         // the stored one, as it is, or that of a first start
  std::string far_side;   // for the log: "Shodan's search"; no secrets
  // Blocks that were fetched and not yet read; fetching stops beyond (at least one always fits).
  std::size_t queue_bytes = std::size_t{8} << 20;
  // A block is only fetched when all before it are committed: for what costs money.
  bool commit_first = false;
  // How long it must have gone well until an outage counts as over.
  Duration settle{};
  BackoffLimits retry{};
};

// A stored position, taken apart.
struct FeedPosition {
  Position own;  // the Fetcher's text
  std::uint64_t records = 0;
  std::uint64_t print = 0;
  static FeedPosition parse(std::string_view text);
  std::string text() const;
};
// The Fetcher's part of the position that is stored for `partition`; "" when there is none.
Position stored_position(const SourceContext& context, const std::string& partition);

// What a dead letter of a record longer than max_record shows of it.
inline constexpr std::size_t kFaultBytes = 64 * 1024;

// Positions from what records hold, for records that may be fetched again: the same record at the
// same place (`seed`: source, pass, page) gets the same number, whatever came before or between,
// and another one gets another, up to chance (64 bits: 3 in 10,000 for 10^8 records of a
// partition). Equal records of one call are told apart by how often they came before.
void number_by_content(std::uint64_t seed, std::vector<RawRecord>& records);

// One partition, read by worker 0. Fetching begins when its reader is made. Where a StandIn answers
// (context.shared), there is no thread: each pull does what is due by the clock, and asks for an
// epoch where a commit is waited for.
std::unique_ptr<Source> open_feed(std::unique_ptr<Fetcher> fetcher, FeedOptions options,
                                  SourceContext context);

}  // namespace streamd::http
