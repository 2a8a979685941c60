// SPDX-License-Identifier: Apache-2.0
// Folders that are still there after a power cut: a new file or folder is durable only when the
// folder that names it was synced. Any thread.
#pragma once

#include <string>
#include <system_error>

namespace streamd {

// Makes what is missing of the path, and syncs each folder in which one was made.
std::error_code make_folders(const std::string& path);

// Makes durable which names the folder holds.
std::error_code sync_folder(const std::string& path);

// The folder of a file; "." for a bare name.
std::string folder_of(const std::string& path);

}  // namespace streamd
