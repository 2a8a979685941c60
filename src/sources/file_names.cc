// SPDX-License-Identifier: Apache-2.0
#include "sources/file_names.h"

#include "engine/core/hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace streamd {

unsigned FileNames::number_of(const std::string& name) {
  const std::size_t dot = name.find('.', name.rfind('#'));
  unsigned number = 1;
  if (dot != std::string::npos)
    std::from_chars(name.data() + dot + 1, name.data() + name.size(), number);
  return number;
}

std::string FileNames::make(const std::string& path, const FileInput& file,
                            std::uint64_t fingerprint) {
  const std::string inode = fmt::format("{}#{:x}-", path, file.id().ino);
  unsigned number = 1;
  for (auto it = known_.lower_bound(inode); it != known_.end() && it->starts_with(inode); ++it)
    number = std::max(number, number_of(*it) + 1);
  const auto times = file.times().value_or(FileTimes{});
  const std::string made = fmt::format("{}.{}", times.born.first, times.born.second);
  std::string name = fmt::format("{}{:08x}", inode, hash_bytes(made, fingerprint) & 0xFFFFFFFF);
  if (number > 1) name += fmt::format(".{}", number);
  known_.insert(name);
  return name;
}

}  // namespace streamd
