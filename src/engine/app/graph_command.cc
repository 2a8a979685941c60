// SPDX-License-Identifier: Apache-2.0
#include "engine/app/command_line.h"
#include "engine/app/commands.h"
#include "engine/app/load.h"
#include "engine/plan/drawing.h"

#include <fmt/format.h>

#include <cstdio>
#include <unistd.h>

namespace streamd {

int graph_command(const GraphArguments& arguments, const Registry& registry) {
  const LoadedFiles loaded = load_files(arguments.files, registry, process_surroundings());
  const bool colours = isatty(2) != 0;
  fmt::print(stderr, "{}", render(loaded.problems, loaded.texts, colours, loaded.secrets));
  if (loaded.problems.errors() > 0) return kExitUsage;
  const Drawn drawn{loaded.plans, loaded.documents};
  if (arguments.format == "mermaid")
    fmt::print("{}", draw_mermaid(drawn));
  else if (arguments.format == "dot")
    fmt::print("{}", draw_dot(drawn));
  else
    fmt::print("{}", draw_text(drawn));
  return kExitDone;
}

}  // namespace streamd
