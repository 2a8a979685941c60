// SPDX-License-Identifier: Apache-2.0
// Paths of log files: patterns, and what log rotation makes of a name.
#pragma once

#include "sources/file_input.h"

#include <optional>
#include <string>
#include <vector>

namespace streamd {

// Regular files that match one of the patterns (shell style: * ? [a-z]) and none of `exclude`,
// which look at the whole path and at the name alone. Sorted, each once.
std::vector<std::string> find_files(const std::vector<std::string>& patterns,
                                    const std::vector<std::string>& exclude);
bool is_pattern(const std::string& path);

// The path without what rotation appends: access.log for access.log.1, access.log.2.gz,
// access.log-20240102.gz.
std::string log_of(const std::string& path);

// The files beside `path` that belong to the same log, itself included. Sorted.
std::vector<std::string> rotations_of(const std::string& path);

// Where a file is that was at `path`, itself or under a name that rotation gives it.
std::optional<std::string> find_beside(const std::string& path, const FileId& id);

// Of the files of a log, those that rotation has made: without `path`, what `exclude` leaves out,
// and what is being compressed, whose original is there. The one written first comes first.
struct RotatedFile {
  std::string path;
  FileTimes times;
};
std::vector<RotatedFile> rotated_by_age(const std::string& path,
                                        const std::vector<std::string>& exclude);

}  // namespace streamd
