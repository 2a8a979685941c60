// SPDX-License-Identifier: Apache-2.0
// Lists: what a component author implements to bring indicators in (addresses, networks, domains,
// texts). Look-ups, swapping, expiry and keeping an old list are the engine's.
//
// Two objects: ListPlan (configuration, const) and ListLoader (one per running pipeline). A loader
// gives whole lists; it may block, it never touches what was given out before.
#pragma once

#include "engine/core/clock.h"
#include "engine/core/error.h"
#include "engine/match/indicator.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace streamd {

class IndicatorList;

struct ListContext {
  std::string name;  // of the list in the pipeline
  std::string pipeline;
  std::string state_dir;  // the pipeline's own folder; copies go to its folder "lists"
  const Clock* clock = nullptr;
  std::uint64_t hash_seed = 0;  // for IndicatorListBuilder (match/indicator_list.h)
  bool offline = false;         // the network is not asked: load() gives the copy, or an error
  // One-line notice for the log: level 0 info, 1 warning, 2 error. Any thread.
  std::function<void(int level, const std::string& text)> log;
};

struct ListUpdate {
  std::shared_ptr<const IndicatorList> list;  // null: as before
  // For the log, with the list's name in front; empty: nothing to say.
  std::string notice;  // "read again: 120 entries"
  std::string remark;  // a person should look: "2 of 120 lines could not be used: line 7: …"
  // The list comes from a copy, because this is wrong: told and healed like the error of a load().
  std::optional<Error> trouble;
};

class ListLoader {
 public:
  virtual ~ListLoader() = default;
  // The first call comes before any record, on the control thread, and gives a list; all others
  // come from one thread of the runtime, one at a time. After an error the list of before stays in
  // force, it is told once, and the call is repeated; Retry::never in the first call ends the run.
  // `stop`: the pipeline ends; return soon, with whatever.
  virtual Result<ListUpdate> load(std::stop_token stop) = 0;
};

// Below this, a person edits the list by hand and may well take most of it away.
inline constexpr std::size_t kShrinkMatters = 20;

// Whether a refresh takes more than the share `max_shrink` of the entries, as a broken one does.
inline bool shrinks_too_much(std::size_t before, std::size_t after, double max_shrink) {
  return before >= kShrinkMatters &&
         static_cast<double>(after) < static_cast<double>(before) * (1.0 - max_shrink);
}

class ListPlan {
 public:
  virtual ~ListPlan() = default;
  virtual std::string describe() const = 0;  // one line for `check`, without secrets
  // What its entries may have; `match` gives these as fields.
  virtual IndicatorFields fields() const = 0;
  // Time between two load() calls; a tenth more or less each time. Zero: one is enough.
  virtual Duration refresh() const = 0;
  // The share of entries that one refresh may take away; more looks like a broken download, and the
  // list of before stays.
  virtual double max_shrink() const { return 1.0; }
  virtual Result<std::unique_ptr<ListLoader>> open(ListContext context) const = 0;
};

}  // namespace streamd
