// SPDX-License-Identifier: Apache-2.0
// Reading back the dead letters that a pipeline wrote to files, for the dlq commands.
#pragma once

#include "engine/core/error.h"
#include "engine/plan/plan.h"

#include <cstdint>
#include <string>
#include <vector>

namespace streamd {

struct DeadLetter {
  std::uint64_t number = 0;  // 1 = the oldest that is still there
  std::string id;            // of its contents; the same line always has the same id
  std::string node, code, reason, source, partition, time;
  std::uint64_t position = 0;
  std::string data;  // the original bytes
  bool replayed = false;
};

struct FoundLetters {
  std::vector<DeadLetter> letters;
  std::size_t unreadable = 0;    // lines that are no JSON object
  std::string first_unreadable;  // file:line
};

// All dead letters of the pipeline, oldest first: from the default file under state_root, or from
// the file sink that the pipeline names, then those that the sink has refused (RefusedLetters). An
// error when they go to a sink that writes no JSON file, and has refused none.
Result<FoundLetters> read_dead_letters(const Plan& plan, const std::string& state_root);

// Notes that these were replayed (by id), beside the default file's folder.
Status mark_replayed(const Plan& plan, const std::string& state_root,
                     const std::vector<std::string>& ids);

}  // namespace streamd
