// SPDX-License-Identifier: Apache-2.0
// Bench: a pipeline's own plan, wired up for a test: its sources hand out what the case gives, or
// ask the case's answers; its sinks record, its lists have the test's entries, and what comes to
// other places that a case looks at is recorded beside. Everything else is as in a run.
#pragma once

#include "engine/api/registry.h"
#include "engine/plan/plan.h"
#include "engine/testing/recording.h"
#include "engine/testing/script.h"
#include "engine/testing/stand_ins.h"

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace streamd::testing {

// What dead letters are called where the pipeline has no node of that name.
inline constexpr const char* kDeadLetters = "dead_letters";

struct Bench {
  Plan plan;
  std::map<std::string, std::shared_ptr<Script>> scripts;        // by source
  std::map<std::string, std::shared_ptr<Recording>> recordings;  // by place
  std::map<std::string, std::shared_ptr<EntryList>> lists;       // those that the test gives
  std::map<std::string, Schema> schemas;                         // by place
  // By sink, what can be expected of it as `sent`.
  std::map<std::string, std::span<const SentField>> sent_fields;
  std::set<std::string> added;  // nodes that are not the pipeline's own
  std::string dead_letters;     // the place of the dead letters
};

// `document`: a pipeline without mistakes. `places`: nodes and ports that are looked at; sinks and
// dead letters always are. `asking`: sources that ask instead of having a script. Problems: a place
// that can't be looked at.
std::optional<Bench> make_bench(const ConfigNode& document, const Registry& registry,
                                const std::set<std::string>& places,
                                const std::set<std::string>& asking,
                                const NamedList<EntryList>& lists, Diagnostics& problems);

}  // namespace streamd::testing
