// SPDX-License-Identifier: Apache-2.0
// EpochStore: the layout of a pipeline's durable state on a backend. An epoch is one atomic, synced
// write of everything: operator state, source positions, sink states, the epoch's number. Used by
// the control thread only.
//
// Keys (values are on disk: never change the meaning of a prefix):
//   f                                  format version, decimal text
//   h                                  hash seed, decimal text
//   e                                  last committed epoch, decimal text
//   p/<source> 00 <partition>          "<max event time, micros>\n<position>"
//   n/<node>                           "<incarnation>\n<state signature>"
//   a/<epoch>/<node>                   the n/ row of a node that left the pipeline
//   s/<incarnation:4 BE><group:2 BE><sub key>   operator state
//   o/<sink> 00 <worker>               sink state
//   k/<sink>                           its type; missing: written before types were
//   x                                  "<epoch>\n" + encoded ChangeSet: an epoch that is prepared
//   but
//                                      counts only when the sinks' transaction did commit
#pragma once

#include "engine/api/source.h"
#include "engine/api/state.h"
#include "engine/core/error.h"
#include "engine/state/backend.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace streamd {

struct StoredPartition {
  Position position;
  EventTime max_time = EventTime::min();  // the partition's clock, see Lane
};

// What one epoch changes besides operator state. Merged over all workers.
struct EpochParts {
  ChangeSet state;  // built with EpochStore::writer
  std::map<std::string, std::map<std::string, StoredPartition>> partitions;  // source, partition
  std::map<std::string, std::set<std::string>> over;              // source, partition: forgotten
  std::map<std::pair<std::string, unsigned>, std::string> sinks;  // (sink, worker)
};

// Who keeps one body of state: a node, or several that share what they keep. The first name stands
// for it below.
struct StateOwner {
  std::vector<std::string> names;
  std::string signature;
};

class EpochStore {
 public:
  // Reads the header of an existing store or starts a new one with the given seed. An epoch that is
  // prepared stays undecided until resolve().
  static Result<std::unique_ptr<EpochStore>> open(std::unique_ptr<StateBackend> backend,
                                                  std::uint64_t new_seed);

  bool is_new() const { return is_new_; }
  std::uint64_t hash_seed() const { return seed_; }
  Epoch last_epoch() const { return epoch_; }
  std::optional<Epoch> prepared() const { return prepared_; }
  // Makes the prepared epoch count, or forgets it.
  Status resolve(bool committed);

  // Declares the state of the pipeline. Refuses a changed signature unless the name is in `reset`;
  // archives names that are gone; numbers new ones. Names that share state and part each go on with
  // all of it; names that come together go on with that of the first which has some. Written with
  // the next epoch. Before anything below.
  Status declare(const std::vector<StateOwner>& owners, const std::vector<std::string>& reset);

  // The same for sinks, by name: their types. What one service has not got yet is nothing for
  // another, so a type that changed is refused while something of the sink's is stored.
  Status declare_sinks(const std::map<std::string, std::string>& types,
                       const std::vector<std::string>& reset);

  Result<std::map<std::string, StoredPartition>> partitions(const std::string& source);
  Result<std::optional<std::string>> sink_state(const std::string& sink, unsigned worker) const;
  // Rows of the node whose group is in [first, last]. A row lies under a group that its writer
  // owned, which need not be the group of all keys in it: operators are given all groups.
  std::unique_ptr<StateReader> reader(const std::string& node, unsigned first, unsigned last);
  // Adds the node's changes to `into`, which must outlive the writer.
  std::unique_ptr<StateWriter> writer(const std::string& node, ChangeSet& into) const;

  Status commit(Epoch epoch, EpochParts parts);
  // Two steps for transactional sinks: prepare, (the far side commits), finish.
  Status prepare(Epoch epoch, EpochParts parts);
  Status finish(Epoch epoch);

 private:
  explicit EpochStore(std::unique_ptr<StateBackend> backend) : backend_(std::move(backend)) {}
  Status load(std::uint64_t new_seed);
  ChangeSet changes_of(Epoch epoch, EpochParts parts) const;
  // What the node rows say: name -> (incarnation, signature); `next` is the first free number.
  using Stored = std::map<std::string, std::pair<std::uint32_t, std::string>>;
  Status load_nodes(Stored& stored, std::uint32_t& next);
  void archive(const std::string& name, const Stored::mapped_type& row);
  Status copy_state(std::uint32_t from, std::uint32_t to);

  std::unique_ptr<StateBackend> backend_;
  bool is_new_ = false;
  std::uint64_t seed_ = 0;
  Epoch epoch_ = 0;
  std::optional<Epoch> prepared_;
  ChangeSet prepared_changes_;
  std::map<std::string, std::uint32_t> incarnations_;  // by the owner's first name
  // Where an owner whose state is a copy finds it until the copy is written.
  std::map<std::string, std::uint32_t> read_from_;
  std::set<std::string> dropped_sinks_;  // their stored state does not count
  ChangeSet declarations_;               // go with the next epoch
};

}  // namespace streamd
