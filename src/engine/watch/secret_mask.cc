// SPDX-License-Identifier: Apache-2.0
#include "engine/watch/secret_mask.h"

#include "engine/codec/encode.h"

#include <algorithm>
#include <string_view>

namespace streamd {
namespace {

constexpr std::size_t kShortest = 4;
constexpr std::string_view kStars = "***";

}  // namespace

SecretMask::SecretMask(const std::vector<std::string>& secrets) {
  for (const auto& secret : secrets) {
    if (secret.size() < kShortest) continue;
    std::string quoted;
    append_json_string(secret, quoted);
    secrets_.push_back(secret);
    secrets_.push_back(quoted.substr(1, quoted.size() - 2));
  }
  std::sort(secrets_.begin(), secrets_.end(), [](const auto& a, const auto& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  secrets_.erase(std::unique(secrets_.begin(), secrets_.end()), secrets_.end());
}

void SecretMask::hide(std::string& text) const {
  for (const auto& secret : secrets_)
    for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += kStars.size())
      text.replace(at, secret.size(), kStars);
}

}  // namespace streamd
