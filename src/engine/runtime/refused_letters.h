// SPDX-License-Identifier: Apache-2.0
// RefusedLetters: where dead letters go that the sink for dead letters refuses itself (too large
// for its topic, say), so that they are neither lost nor come back to it for ever: a file in the
// folder of the pipeline's state, which the dlq commands read. Each is written and synced at once,
// beside the epochs: after a crash one may be there twice. Any worker's thread.
#pragma once

#include "engine/core/error.h"

#include <mutex>
#include <string>
#include <string_view>

namespace streamd {

class RefusedLetters {
 public:
  // `folder` is made with the first letter.
  explicit RefusedLetters(std::string folder);
  ~RefusedLetters();
  RefusedLetters(const RefusedLetters&) = delete;
  RefusedLetters& operator=(const RefusedLetters&) = delete;

  // A letter as JSON, without line end. True: it is the first of this run. An error: it is not
  // kept.
  Result<bool> add(std::string_view letter);
  const std::string& path() const { return path_; }

  // Of the folder for dead letters.
  static std::string path_in(const std::string& folder);

 private:
  Status open();

  const std::string folder_, path_;
  std::mutex mutex_;
  int file_ = -1;
};

}  // namespace streamd
