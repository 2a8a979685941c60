// SPDX-License-Identifier: Apache-2.0
#include "engine/app/command_line.h"
#include "engine/app/commands.h"
#include "engine/app/load.h"
#include "engine/config/reports.h"
#include "engine/plan/describe.h"

#include <fmt/format.h>

#include <cstdio>
#include <unistd.h>

namespace streamd {
namespace {

bool is_bad(const Diagnostics& problems, bool strict) {
  return problems.errors() > 0 || (strict && !problems.all().empty());
}

}  // namespace

int check_command(const CheckArguments& arguments, const Registry& registry) {
  const LoadedFiles loaded = load_files(arguments.files, registry, process_surroundings());
  const bool bad = is_bad(loaded.problems, arguments.strict);
  if (arguments.format == "json") {
    fmt::print("{}", report_json(loaded.problems, loaded.texts));
  } else if (arguments.format == "github") {
    fmt::print("{}", report_github(loaded.problems, loaded.texts));
  } else {
    const bool colours = isatty(2) != 0;
    fmt::print(stderr, "{}", render(loaded.problems, loaded.texts, colours, loaded.secrets));
    if (!bad)
      for (const auto& plan : loaded.plans) fmt::print("{}\n", describe(plan));
  }
  return bad ? kExitUsage : kExitDone;
}

}  // namespace streamd
