// SPDX-License-Identifier: Apache-2.0
// Settings of the file source.
#pragma once

#include "engine/api/source.h"
#include "engine/core/time.h"

#include <memory>
#include <string>
#include <vector>

namespace streamd {

enum class FileFrom { start, end };

struct FileConfig {
  std::vector<std::string> path;
  std::vector<std::string> exclude;
  bool follow = false;
  FileFrom from = FileFrom::start;
  Duration scan_every = Duration::from_seconds(1);
  Duration rotate_wait = Duration::from_seconds(30);
};

// The file source itself, for sources that are files of a certain kind.
std::unique_ptr<SourcePlan> make_file_plan(FileConfig config);

}  // namespace streamd
