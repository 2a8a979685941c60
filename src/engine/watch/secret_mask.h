// SPDX-License-Identifier: Apache-2.0
// SecretMask: takes the pipeline's own secrets out of texts that are shown to somebody: a record
// may repeat a token that a request carried. Immutable; any thread.
#pragma once

#include <string>
#include <vector>

namespace streamd {

class SecretMask {
 public:
  // Values of fewer than 4 bytes are words, not secrets.
  explicit SecretMask(const std::vector<std::string>& secrets = {});
  // Puts *** in place of each, also where it is written as JSON text.
  void hide(std::string& text) const;

 private:
  std::vector<std::string> secrets_;  // longest first: one may hold another
};

}  // namespace streamd
