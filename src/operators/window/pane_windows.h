// SPDX-License-Identifier: Apache-2.0
// PaneWindows: tumbling and sliding windows of one node on one worker. One pass over the records,
// one cell per (key, pane), one running value per key: a pane enters the running values when the
// boundary (window end) after it closes, and leaves them when no later window holds it. Work per
// record does not depend on size or every. One thread.
//
// Boundaries are processed in order, and only those where something happens. A record belongs to
// the windows that end after max(its floor, the last boundary). One whose floor has passed a
// boundary that is still open here waits (`waiting_`) until that boundary has closed.
#pragma once

#include "engine/api/emitter.h"
#include "engine/api/state.h"
#include "engine/core/fetch_line.h"
#include "engine/core/hash.h"
#include "operators/window/key_rows.h"
#include "operators/window/key_table.h"
#include "operators/window/pane.h"
#include "operators/window/results.h"
#include "operators/window/rules.h"
#include "operators/window/share.h"
#include "operators/window/stored_keys.h"
#include "operators/window/watermark_row.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace streamd::window {

class PaneWindows {
 public:
  PaneWindows(const Rules& rules, std::shared_ptr<const Origin> origin, std::uint64_t seed,
              Share share);
  ~PaneWindows();

  // Takes records in order and sets the outcome of each. How many were not taken. As every memory
  // access of one record waits while those of several overlap, a block should be as long as what it
  // touches stays in the nearest cache.
  std::size_t accept(std::span<Arrival> block, Emitter& out);
  // Records that were added up where they came in: `records` of one key and pane, none of which is
  // late. False: there is no room for the key.
  struct Sum {
    KeyRef key;
    std::uint64_t hash = 0;
    std::int64_t time = 0;  // any of its pane
    std::uint64_t records = 0;
    const std::uint64_t* part = nullptr;  // null: they are only counted
  };
  bool accept_sum(const Sum& sum, Emitter& out);
  // Emits what accept() has fired. Call after each batch.
  void flush(Emitter& out) {
    results_.flush(out);
    work_ahead();
  }
  void advance(std::int64_t watermark, Emitter& out);
  // The last boundary that any worker's keys were too late for before a restart.
  std::int64_t closed_before() const { return watermark_row_.furthest(); }
  // The last boundary that keys of this group are too late for.
  std::int64_t closed_for(unsigned group) const {
    return furthest_ > watermark_ ? std::max(watermark_, group_watermark_[group]) : watermark_;
  }

  void checkpoint(StateWriter& state);
  // restore_row() for every row of all workers, then restore_done().
  Status restore_row(unsigned group, std::string_view sub_key, std::string_view value);
  Status restore_done();

  std::size_t live_keys() const { return keys_.size(); }
  std::uint64_t arrivals() const { return arrivals_; }  // largest number seen in restored state

 private:
  enum Flag : std::uint8_t {
    kTouched = 1,  // in touched_
    kPasses = 2,   // `having` is true in the last closed window
    kListed = 4,   // in passing_
    kAlerted = 8,  // in alerts_
    kSummed = 16,  // in summed_: its running values are kept
  };
  // What a pane touches of a key when it closes and when it leaves. Apart from the keys' entries,
  // as all of these together fit into a nearer cache: a pane meets its keys in no order.
  struct Tally {
    std::uint64_t count = 0;  // records in the window that ends at the last boundary
    std::uint32_t cells = 0;  // that have entered and not left
    std::uint8_t flags = 0;   // Flag

    bool has(Flag flag) const { return (flags & flag) != 0; }
    void set(Flag flag) { flags |= flag; }
    void clear(Flag flag) { flags = static_cast<std::uint8_t>(flags & ~flag); }
  };
  // What is known of a key's windows with floors (rules.h), which only grow while they are open.
  struct Outlook {
    // `having` is true for those that end from here to there, without a gap.
    std::int64_t from = kNever, until = kNever;
    // It takes so many more records at least to make it true for the one that ends here.
    std::int64_t end = kNever;
    std::uint64_t misses = 0;

    void add(std::int64_t passing, std::int64_t every) {
      const bool joins = from - every <= passing && passing <= until + every;
      from = joins ? std::min(from, passing) : passing;
      until = joins ? std::max(until, passing) : passing;
    }
    void expect(std::int64_t missing_end, std::uint64_t records) {
      end = missing_end;
      misses = records;
    }
  };
  static constexpr std::uint8_t kNewestOdd = 1;  // in Entry::flags: side of the newest pane
  struct Waiting {
    std::int64_t time = 0;
    std::uint64_t number = 0;
    std::uint64_t hash = 0;
    std::string key;
    std::string inputs;  // append_key, one after the other
  };
  // A cell as it is read from a row of state.
  struct StoredCell {
    std::uint32_t stored = 0;        // id of its key where it was written
    std::uint32_t id = 0;            // here, or StoredKeys::kNone, kForeign
    std::uint64_t records = 0;       // 0: the cell was removed
    std::uint64_t* words = nullptr;  // owned by whoever restores it
  };
  using Ids = std::vector<std::uint32_t>;
  // emit threshold: a run is a row of windows of one key, one after the other, that pass `having`.
  // For each run that was told, the end of its first window, ascending. Of those that are closed at
  // most one: it says that the last closed window belongs to a run.
  using Alerts = std::vector<std::int64_t>;

  // pane_windows.cc: records in, keys out
  void fetch_ahead(std::span<Arrival> block) const;
  void fetch_parts(std::span<const Arrival> block) const;
  Outcome accept_behind(const Arrival& arrival, std::int64_t closed, Emitter& out);
  Outcome add(const Arrival& arrival, Emitter& out);
  // To a cell that has entered the running value.
  void add_entered(std::uint32_t id, Pane& pane, std::uint32_t at, const Arrival& arrival);
  Outcome insert(const Arrival& arrival, Emitter& out);  // the same, for the few others
  // The key's cell in the pane, a new one if it has none.
  struct Place {
    std::uint32_t at;
    std::uint64_t* cell;
  };
  Place place_of(std::uint32_t id, Pane& pane);
  void wait(std::int64_t after, const Arrival& arrival);
  Pane& pane_at(std::int64_t time);
  Pane* recent_pane(std::int64_t time) const {
    const auto width = static_cast<std::uint64_t>(rules_.assigner.pane);
    const auto in = [time, width](const Pane* pane) {
      return pane != nullptr && static_cast<std::uint64_t>(time - pane->start()) < width;
    };
    return in(latest_) ? latest_ : in(second_) ? second_ : nullptr;
  }
  // Most cells that are asked for and not there would be in a pane newer than all of the key's:
  // then the pane itself is not looked at.
  std::uint32_t cell_of(std::uint32_t id, const Entry& entry, Pane& pane) const {
    if (pane.start() > entry.newest) return Pane::kNone;
    const std::uint32_t hint = entry.hint[pane.side()];
    return pane.holds(hint, id) ? hint : other_cell_of(id, entry, pane);
  }
  std::uint32_t cell_of(std::uint32_t id, Pane& pane) const {
    return cell_of(id, keys_.entry(id), pane);
  }
  // Not where the hint says.
  std::uint32_t other_cell_of(std::uint32_t id, const Entry& entry, Pane& pane) const;
  void note_cell(Entry& entry, const Pane& pane, std::uint32_t at) const;
  // Aggregates of the key; null when only records are counted. Zero while they are not kept.
  std::uint64_t* running(std::uint32_t id) {
    return stride_ == 0 ? nullptr : &running_[id >> kBlockBits][(id & kBlockMask) * stride_];
  }
  // Whether panes of the key enter and leave the running values as they come and go. While a key
  // has too few records for `having`, nobody looks at them: they are made by sum_up().
  bool is_summed(const Tally& tally) const {
    return stride_ != 0 && (!sums_late_ || tally.has(kSummed));
  }
  Tally& tally(std::uint32_t id) { return tallies_[id >> kBlockBits][id & kBlockMask]; }
  const Tally& tally(std::uint32_t id) const { return tallies_[id >> kBlockBits][id & kBlockMask]; }
  // Whether no pane has a cell of the key any more.
  bool is_gone(std::uint32_t id) const {
    return tally(id).cells == 0 && keys_.entry(id).newest < closed_;
  }
  std::uint32_t new_key(KeyRef key, std::uint64_t hash, Emitter& out);  // or KeyTable::kNone
  std::uint32_t make_key(KeyRef key, std::uint64_t hash);
  void note_key(std::uint32_t id, std::uint64_t hash);  // one that was just inserted
  void remove_key(std::uint32_t id);
  void evict_oldest(Emitter& out);
  void touch(std::uint32_t id) { touch(id, tally(id)); }
  void touch(std::uint32_t id, Tally& tally);
  static std::uint8_t flag_to_compare(const Rules& rules);
  // After the key's count was changed: whether the next boundary has to look at the key. As long as
  // the count alone decides, it has to only when the decision is another.
  bool is_news(const Tally& tally) const {
    if (told_ != 0) return (tally.count >= least_) != ((tally.flags & told_) != 0);
    return tally.count >= needed_ || tally.has(kPasses);
  }

  // pane_close.cc: boundaries
  std::int64_t next_boundary() const;
  void process(std::int64_t boundary, Emitter& out);
  void process_changed(std::int64_t boundary, Emitter& out);
  Ids take_touched();
  void close_panes(std::int64_t boundary);
  void drop_panes(std::int64_t before);
  void admit_waiting(std::int64_t until, Emitter& out);
  // Leaves out keys whose group had closed this window before a restart; they stay touched.
  void skip_closed_groups(Ids& ids, std::int64_t boundary);
  // out: where results go whose decision failed; null: nobody is told, and they do not pass.
  std::vector<bool> passes(const Ids& ids, std::int64_t boundary, Emitter* out);
  void emit_close(const Ids& visited, std::int64_t boundary, Emitter& out);
  void emit_threshold(const Ids& visited, std::int64_t boundary, Emitter& out);
  void emit_rows(const Ids& sorted, std::int64_t boundary, Emitter& out);
  Results::Row row_of(std::uint32_t id, std::int64_t boundary);
  // At a boundary, when no pane is leaving.
  void sum_up(std::uint32_t id);
  void forget_sums();  // of keys that have too few records again

  // pane_ahead.cc: what a boundary or a checkpoint would have to do at once, a little after each
  // batch
  void work_ahead();
  void enter_ahead();
  void enter(Pane& pane, std::uint32_t most);
  void take_out(std::uint32_t most);
  void settle();  // all of leaving_; before a boundary, and before the number of keys decides
  void remove_left();
  void leave_emptied();
  void leave(std::uint32_t id);
  void fetch(std::uint32_t id) {
    fetch_line(&tally(id));
    if (stride_ != 0 && !sums_late_) fetch_line(running(id));
  }

  // pane_threshold.cc: emit threshold, at the record
  template <class Visit>
  void each_open_cell(std::uint32_t id, Visit&& visit) const;
  std::uint64_t kept_records(std::uint32_t id) const;
  std::uint64_t records_in(std::uint32_t id, std::int64_t end) const;
  // `having` asks for counts that are not counts of records alone.
  bool has_floors() const { return grows_ && least_ == 0; }
  bool is_far(std::uint32_t id);
  bool is_far_from_floors(std::uint32_t id, std::uint64_t kept);
  std::uint64_t missing(const std::uint64_t* words, std::uint64_t records) const;
  // Whether the record begins no run of windows, as was seen before; `first`: the end of the first
  // window that it is in.
  bool is_foreseen(std::uint32_t id, std::int64_t time, std::int64_t first);
  bool is_within_run(std::uint32_t id, std::int64_t first) const;
  void check_now(std::uint32_t id, std::int64_t time);
  bool is_told(Alerts& alerts, std::int64_t end,
               std::optional<std::int64_t> orphan = std::nullopt) const;
  static void add_alert(Alerts& alerts, std::int64_t end);
  void fire(std::uint32_t id, std::int64_t end, std::int64_t time);
  void set_alerts(std::uint32_t id, Alerts alerts);
  Alerts alerts_of(std::uint32_t id) const;

  // pane_rows.cc: state on its way to disk
  void write_pane(Pane& pane, StateWriter& state);
  // More would be superseded than in force: the next checkpoint replaces all rows of the pane.
  static bool is_due_anew(const Pane& pane);
  void encode_changed(Pane& pane, std::size_t most);
  void forget_rows(const Pane& pane);  // the next checkpoint erases them
  void write_waiting(StateWriter& state);
  GroupTimes group_times() const;

  // pane_restore.cc: and back
  Status restore_key_row(unsigned group, std::string_view sub_key, std::string_view value);
  Status restore_keys();
  Status end_rows();  // of the key group whose rows k and p were read last
  Status restore_pane(unsigned group, std::string_view sub_key, std::string_view value);
  bool restore_cells(Pane& pane, unsigned group, std::string_view value, std::uint32_t cells);
  void restore_cell(Pane& pane, const StoredCell& cell, bool own_row);
  void note_cells_again(std::uint32_t id);
  Status restore_alerts(std::string_view key, std::string_view value);
  Status restore_waiting(std::string_view value);

  static constexpr unsigned kBlockBits = 12;
  static constexpr std::uint32_t kBlockMask = (1u << kBlockBits) - 1;

  const Rules& rules_;
  const std::uint64_t seed_;
  const Share share_;
  const std::size_t stride_;    // words of aggregates per key
  const bool counts_values_;    // an aggregate holds values of records
  const bool grows_;            // emit threshold: while a window is open, `having` stays true
  const std::uint64_t least_;   // `having` is "so many records"; 0: it has to be evaluated
  const std::uint64_t needed_;  // with fewer records `having` is false
  const bool sums_late_;        // running values are kept of keys with `needed_` records only
  const std::uint8_t told_;     // the flag that says what was decided last; 0: look at all keys
  Results results_;
  KeyTable keys_;
  std::vector<std::unique_ptr<Tally[]>> tallies_;          // by id
  std::vector<std::unique_ptr<std::uint64_t[]>> running_;  // by id
  std::map<std::int64_t, std::unique_ptr<Pane>> panes_;    // by start
  // Where the last records went, the later pane first.
  Pane* latest_ = nullptr;
  Pane* second_ = nullptr;
  // Panes that no later window holds, while their cells are still taken out of the running values:
  // so many of the first are out.
  std::deque<std::unique_ptr<Pane>> leaving_;
  std::uint32_t taken_out_ = 0;
  Ids emptied_;  // keys whose last cell that had entered was taken out just now
  std::int64_t watermark_ = kNever;
  std::int64_t closed_ = kNever;  // the last boundary that is closed
  Ids touched_;                   // keys to look at when the next boundary closes
  Ids passing_;                   // emit close: keys that passed, by key
  Ids summed_;                    // may hold ids twice, or those of keys that are gone
  Ids left_;                      // keys of passing_ whose last cell was taken out
  // emit threshold: by id, so many more records of the key cannot make `having` true.
  std::vector<std::uint32_t> far_;
  std::vector<Outlook> outlooks_;                         // by id, when `having` grows_
  std::unordered_map<std::uint32_t, Alerts> alerts_;      // by id; never empty
  std::map<std::int64_t, Ids> look_at_;                   // boundary: alerted keys to look at
  std::map<std::int64_t, std::vector<Waiting>> waiting_;  // by the boundary they wait for

  // What differs from the state on disk.
  std::vector<std::pair<std::uint16_t, std::string>> gone_rows_;
  std::set<std::string> changed_alerts_;
  KeyRows key_rows_;
  bool rows_anew_ = false;     // rows k and p are not as this worker writes them: replace them all
  bool left_unsaved_ = false;  // since the last checkpoint a pane has left that was never saved
  bool rows_ahead_ = true;     // none did between the last two: encode rows ahead
  bool waiting_changed_ = false;
  std::set<unsigned> waiting_groups_;  // with a row on disk
  WatermarkRow watermark_row_;
  std::array<bool, kKeyGroups> used_groups_{};
  // After a restart with another number of workers: how far each group had closed. Only until this
  // worker has passed the furthest.
  GroupTimes group_watermark_;
  std::int64_t furthest_ = kNever;
  std::vector<std::pair<std::string, Alerts>> restored_alerts_;
  StoredKeys stored_keys_;
  // Cells (start of the pane, stored id) without a key; a later row has to say that it has left.
  std::set<std::pair<std::int64_t, std::uint32_t>> orphans_;
  std::set<std::uint32_t> bereft_;  // keys of which a row gave a cell and a later one took it
  std::uint64_t arrivals_ = 0;
};

}  // namespace streamd::window
