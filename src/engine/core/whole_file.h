// SPDX-License-Identifier: Apache-2.0
// Files that are read and written as a whole. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace streamd {

// Puts a new content in the place of a file: written beside it (`path.new`), synced, renamed, and
// the folder synced. Whoever reads `path` sees the old content or the new one, also after a power
// cut; after an error, the old one. Makes missing folders. `mode`: of the file, before umask.
std::error_code replace_file(const std::string& path, std::string_view content,
                             unsigned mode = 0644);

// nullopt: it can't be read, or is longer than a GiB.
std::optional<std::string> read_whole_file(const std::string& path);

}  // namespace streamd
