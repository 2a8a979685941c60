// SPDX-License-Identifier: Apache-2.0
// Names of a file source's partitions: path#<inode>-<fingerprint>, and .<n> for the n-th that is
// read in one inode (a log that is cut again and again). The ids of records are made of them, so
// that a name is never given to anything else: the fingerprint is of the first line and of when the
// file was made, where the file system knows that.
#pragma once

#include "sources/file_input.h"

#include <cstdint>
#include <set>
#include <string>

namespace streamd {

class FileNames {
 public:
  void add(const std::string& name) { known_.insert(name); }
  // Of a file that is read from its beginning, and was or would have been found at `path`.
  std::string make(const std::string& path, const FileInput& file, std::uint64_t fingerprint);

  static std::string path_of(const std::string& name) { return name.substr(0, name.rfind('#')); }
  static unsigned number_of(const std::string& name);

 private:
  std::set<std::string> known_;
};

}  // namespace streamd
