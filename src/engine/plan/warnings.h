// SPDX-License-Identifier: Apache-2.0
// What is allowed and probably not meant. Each warning has a place, a reason and a remedy, and is
// only given where it is certain: nobody learns to look past them.
#pragma once

#include "engine/api/registry.h"
#include "engine/plan/draft.h"

namespace streamd {

// Of a draft without errors whose needs are collected: fields that nobody reads, lists that nobody
// asks, windows longer than their topic keeps records, and keys that are spread over the processes
// of a group.
void warn_about(const Draft& draft, Diagnostics& problems);

// A source that reads topics as a member of a Kafka group.
struct GroupUse {
  std::string label;
  std::string group;
  std::vector<std::string> brokers, topics;
};

// Sources of one process that share a group get a part of a topic each. `seen`: those of the jobs
// before this one; its own are added.
void warn_shared_groups(const Document& job, std::vector<GroupUse>& seen, Diagnostics& problems);

// Of one node: keys that are held for weeks without a word on how many there may be.
void warn_unbounded_keys(const ConfigNode& body, const SpecView& view, Diagnostics& problems);

}  // namespace streamd
