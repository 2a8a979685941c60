// SPDX-License-Identifier: Apache-2.0
#include "engine/lookup/lookup.h"

#include <sys/stat.h>
#include <utility>

namespace streamd {

LookupFile::LookupFile(std::string path, Duration refresh, OpenLookup open)
    : path_(std::move(path)), refresh_(refresh), open_(std::move(open)) {}

LookupFile::Stamp LookupFile::stamp() const {
  struct stat at = {};
  if (::stat(path_.c_str(), &at) != 0) return {};
  return {at.st_mtim.tv_sec, at.st_mtim.tv_nsec, at.st_size, at.st_ino};
}

Result<LookupFile::Now> LookupFile::now(Duration monotonic) {
  const std::lock_guard lock(mutex_);
  if (lookup_ && monotonic < next_look_) return Now{lookup_, {}};
  next_look_ = monotonic + refresh_;
  const Stamp stamp = this->stamp();
  if (lookup_ && stamp == seen_) return Now{lookup_, {}};
  seen_ = stamp;
  auto opened = open_(path_);
  if (opened) {
    lookup_ = std::move(*opened);
    return Now{lookup_, {}};
  }
  if (!lookup_) return tl::unexpected(std::move(opened).error());
  return Now{lookup_, opened.error().message};
}

}  // namespace streamd
