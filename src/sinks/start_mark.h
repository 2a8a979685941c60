// SPDX-License-Identifier: Apache-2.0
// StartMark: where the first attempt of a file sink began to write, kept in the state directory
// until the first checkpoint is committed. Without it, an attempt that dies before its first
// checkpoint would leave lines that the next one writes again.
#pragma once

#include "engine/core/error.h"

#include <optional>
#include <string>

namespace streamd {

class StartMark {
 public:
  // Without a state directory nothing is stored.
  StartMark(const std::string& state_dir, const std::string& node);
  // The text stored for this output path, if any. An error of kind state when it is damaged.
  Result<std::optional<std::string>> load(const std::string& path) const;
  // Durable when it returns.
  Status store(const std::string& path, const std::string& text);
  void remove();  // cheap when there is none

 private:
  std::string file_;
  bool may_exist_ = true;
};

}  // namespace streamd
