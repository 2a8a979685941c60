// SPDX-License-Identifier: Apache-2.0
// PastFiles: partitions that are read no more. The position of one is needed as long as its file
// can be found: to know the file after a restart, and for the number in the name of what follows.
#pragma once

#include "engine/api/source.h"
#include "sources/file_position.h"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace streamd {

// One thread.
class PastFiles {
 public:
  // path: where the file was seen last.
  void add(std::uint32_t number, std::string path, const FilePosition& position) {
    files_.push_back({number, std::move(path), position});
  }
  // Finds out which are over: another file is read in their inode, or none beside their path has
  // it. keep_one: one stays then, without content.
  void look(bool keep_one, const std::function<bool(const FileId&)>& is_read);

  // For the functions of Reader of these names.
  void partitions(std::vector<PartitionState>& out) const;
  void over(std::vector<std::uint32_t>& out);

 private:
  struct Past {
    std::uint32_t number = 0;
    std::string path;
    FilePosition position;
  };

  std::vector<Past> files_;
  std::vector<std::uint32_t> over_;  // since over() was asked
};

}  // namespace streamd
