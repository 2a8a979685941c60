// SPDX-License-Identifier: Apache-2.0
#include "sources/file_paths.h"

#include <fnmatch.h>
#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>
#include <utility>

namespace streamd {
namespace {

bool excluded(const std::string& path, const std::vector<std::string>& exclude) {
  const std::string name = std::filesystem::path(path).filename().string();
  return std::any_of(exclude.begin(), exclude.end(), [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), path.c_str(), 0) == 0 ||
           ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
  });
}

// Takes ".<digits>" or "-<at least 8 digits>" from the end.
bool strip_number(std::string& path) {
  std::size_t at = path.size();
  while (at > 0 && path[at - 1] >= '0' && path[at - 1] <= '9') --at;
  const std::size_t digits = path.size() - at;
  if (digits == 0 || at < 2) return false;
  const char mark = path[at - 1];
  if (mark != '.' && !(mark == '-' && digits >= 8)) return false;
  path.resize(at - 1);
  return true;
}

}  // namespace

bool is_pattern(const std::string& path) { return path.find_first_of("*?[") != std::string::npos; }

std::vector<std::string> find_files(const std::vector<std::string>& patterns,
                                    const std::vector<std::string>& exclude) {
  std::set<std::string> found;
  for (const std::string& pattern : patterns) {
    glob_t matches{};
    if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &matches) == 0) {
      for (std::size_t i = 0; i < matches.gl_pathc; ++i) {
        const std::string path = matches.gl_pathv[i];
        std::error_code ignored;
        if (std::filesystem::is_regular_file(path, ignored) && !excluded(path, exclude))
          found.insert(path);
      }
    }
    ::globfree(&matches);
  }
  return {found.begin(), found.end()};
}

std::string log_of(const std::string& path) {
  std::string log = path;
  if (log.ends_with(".gz")) log.resize(log.size() - 3);
  strip_number(log);
  return log;
}

std::vector<std::string> rotations_of(const std::string& path) {
  std::set<std::string> found;
  const std::string log = log_of(path);
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code ignored;
  const auto where = folder.empty() ? std::filesystem::path(".") : folder;
  // What is renamed during one look may be missed under both names.
  for (int look = 0; look < 2; ++look)
    for (const auto& entry : std::filesystem::directory_iterator(where, ignored)) {
      const std::string candidate = (folder / entry.path().filename()).string();
      if (log_of(candidate) == log && entry.is_regular_file(ignored)) found.insert(candidate);
    }
  return {found.begin(), found.end()};
}

std::vector<RotatedFile> rotated_by_age(const std::string& path,
                                        const std::vector<std::string>& exclude) {
  std::vector<RotatedFile> rotated;
  for (std::string& candidate : rotations_of(path)) {
    if (candidate == path || excluded(candidate, exclude)) continue;
    if (candidate.ends_with(".gz") && file_id(candidate.substr(0, candidate.size() - 3))) continue;
    if (const auto times = FileTimes::of(candidate))
      rotated.push_back({std::move(candidate), *times});
  }
  std::sort(rotated.begin(), rotated.end(), [](const RotatedFile& a, const RotatedFile& b) {
    return std::tie(a.times.written, a.times.born) < std::tie(b.times.written, b.times.born);
  });
  return rotated;
}

std::optional<std::string> find_beside(const std::string& path, const FileId& id) {
  if (file_id(path) == id) return path;
  for (std::string& beside : rotations_of(path))
    if (file_id(beside) == id) return std::move(beside);
  return std::nullopt;
}

}  // namespace streamd
