// SPDX-License-Identifier: Apache-2.0
#include "engine/app/dlq_selection.h"

#include "engine/app/command_line.h"
#include "engine/app/load.h"
#include "engine/app/logging.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>

namespace streamd {

int exit_code_of(const Error& error) {
  print_error(error);
  return error.kind == ErrorKind::config ? kExitUsage : kExitFailed;
}

int select_letters(const DlqArguments& arguments, const Registry& registry, Selection& into) {
  auto jobs = load_jobs(arguments.files, registry);
  if (!jobs) return kExitUsage;
  if (jobs->size() > 1)
    return exit_code_of({ErrorKind::config, Retry::never,
                         "these files share no source, so each has its own dead letters",
                         "name one of them, or all files of one job"});
  Plan& plan = jobs->front();
  const std::string root = state_root(arguments.state_dir);
  auto found = read_dead_letters(plan, root);
  if (!found) return exit_code_of(found.error());
  std::error_code ignored;
  if (found->letters.empty() && !std::filesystem::exists(root + "/" + plan.pipeline, ignored))
    fmt::print(stderr,
               "warning: pipeline {} has no state in \"{}\"\n  = help: name the folder of its run "
               "with --state-dir or $STREAMD_STATE_DIR\n",
               plan.pipeline, root);
  if (found->unreadable > 0)
    fmt::print(stderr, "warning: {} lines are no dead letters and are left out, the first is {}\n",
               found->unreadable, found->first_unreadable);
  std::erase_if(found->letters, [&](const DeadLetter& l) {
    return (!arguments.node.empty() && l.node != arguments.node) ||
           (!arguments.code.empty() && l.code != arguments.code);
  });
  into = {std::move(plan), std::move(found->letters)};
  return kExitDone;
}

}  // namespace streamd
