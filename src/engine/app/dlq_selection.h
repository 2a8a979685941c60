// SPDX-License-Identifier: Apache-2.0
// Which dead letters a dlq command is about.
#pragma once

#include "engine/app/commands.h"
#include "engine/app/dead_letter_files.h"
#include "engine/core/error.h"
#include "engine/plan/plan.h"

#include <vector>

namespace streamd {

// The pipeline and its dead letters that pass the filters.
struct Selection {
  Plan plan;
  std::vector<DeadLetter> letters;
};

// The exit code; when it is not kExitDone, why has been told.
int select_letters(const DlqArguments& arguments, const Registry& registry, Selection& into);

// Tells the error; the exit code for it.
int exit_code_of(const Error& error);

}  // namespace streamd
