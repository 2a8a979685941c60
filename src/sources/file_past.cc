// SPDX-License-Identifier: Apache-2.0
#include "sources/file_past.h"

#include "sources/file_paths.h"

#include <optional>
#include <utility>

namespace streamd {

void PastFiles::look(bool keep_one, const std::function<bool(const FileId&)>& is_read) {
  for (std::size_t i = files_.size(); i-- > 0;) {
    Past& past = files_[i];
    const FileId id = past.position.id;
    if (const auto found = is_read(id) ? std::nullopt : find_beside(past.path, id)) {
      past.path = *found;
    } else if (keep_one && files_.size() == 1) {
      past.position = FilePosition::overwritten(id);
    } else {
      over_.push_back(past.number);
      files_.erase(files_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

void PastFiles::partitions(std::vector<PartitionState>& out) const {
  for (const Past& past : files_) out.push_back({past.number, past.position.print(), true, true});
}

void PastFiles::over(std::vector<std::uint32_t>& out) {
  out.insert(out.end(), over_.begin(), over_.end());
  over_.clear();
}

}  // namespace streamd
