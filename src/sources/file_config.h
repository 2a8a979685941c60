// SPDX-License-Identifier: Apache-2.0
// Settings of the file source.
#pragma once

#include "engine/core/time.h"

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

}  // namespace streamd
