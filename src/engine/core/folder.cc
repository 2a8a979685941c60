// SPDX-License-Identifier: Apache-2.0
#include "engine/core/folder.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace streamd {
namespace fs = std::filesystem;

std::error_code make_folders(const std::string& path) {
  fs::path whole = fs::path(path).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  if (whole.empty()) return {};
  std::error_code error;
  const fs::file_status there = fs::status(whole, error);
  if (fs::is_directory(there)) return {};
  if (fs::exists(there)) return std::make_error_code(std::errc::not_a_directory);
  if (error = make_folders(folder_of(whole.string())); error) return error;
  fs::create_directory(whole, error);
  return error ? error : sync_folder(folder_of(whole.string()));
}

std::error_code sync_folder(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return {errno, std::generic_category()};
  const int code = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  // Some file systems cannot sync a folder.
  return {code == EINVAL ? 0 : code, std::generic_category()};
}

std::string folder_of(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

}  // namespace streamd
