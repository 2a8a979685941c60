// SPDX-License-Identifier: Apache-2.0
// The copy of a list in the state directory, so that a restart does without the network.
#pragma once

#include "engine/core/error.h"
#include "engine/core/time.h"

#include <cstddef>
#include <optional>
#include <string>

namespace streamd {

// <state_dir>/lists/<name>.json
std::string list_copy_path(const std::string& state_dir, const std::string& name);
// nullopt: there is none that can be read, or it is larger than 1 GiB.
std::optional<std::string> read_list_copy(const std::string& path);
// Whole or not at all, also after a power cut.
Status write_list_copy(const std::string& path, const std::string& text);

// The copy of a download: what the server said of it, then the text as it came.
struct DownloadCopy {
  std::uint64_t address = 0;  // a hash of the URL: of another one it says nothing
  std::string etag, last_modified;
  std::size_t entries = 0;  // that it made
  EventTime fetched{};
  std::string text;
};
// <state_dir>/lists/<name>.copy
std::string download_copy_path(const std::string& state_dir, const std::string& name);
// nullopt: there is none, or it is none.
std::optional<DownloadCopy> read_download_copy(const std::string& path);
Status write_download_copy(const std::string& path, const DownloadCopy& copy);

}  // namespace streamd
