// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/leftovers.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace streamd {
namespace fs = std::filesystem;
namespace {

bool holds_bytes(const fs::path& outbox) {
  std::error_code error;
  const auto files = fs::directory_iterator(outbox, error);
  return std::any_of(begin(files), end(files), [](const fs::directory_entry& entry) {
    std::error_code unreadable;
    return entry.path().extension() == ".outbox" && entry.file_size(unreadable) > 0;
  });
}

}  // namespace

void warn_of_forgotten_outboxes(const Plan& plan, const std::string& folder, const LogFn& log) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder + "/outbox", error)) {
    const std::string name = entry.path().filename().string();
    const bool known = std::any_of(plan.nodes.begin(), plan.nodes.end(), [&](const PlanNode& node) {
      return node.kind == PlanNode::Kind::sink && node.name == name;
    });
    if (known || !holds_bytes(entry.path())) continue;
    log(LogLevel::warning,
        fmt::format("sink \"{}\" is not in pipeline {} any more, but {} holds what was not "
                    "delivered; put the sink back to have it delivered, or delete the folder",
                    name, plan.pipeline, entry.path().string()));
  }
}

}  // namespace streamd
