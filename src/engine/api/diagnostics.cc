// SPDX-License-Identifier: Apache-2.0
#include "engine/api/diagnostics.h"

#include <algorithm>

namespace streamd {
namespace {

std::string lower(const std::string& text) {
  std::string out = text;
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// Edits to get from a to b: insert, erase, replace, swap two neighbours.
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        now[j] = std::min(now[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(now);
  }
  return last[b.size()];
}

bool one_begins_the_other(const std::string& a, const std::string& b) {
  const std::size_t shared = std::min(a.size(), b.size());
  return shared >= 4 && a.compare(0, shared, b, 0, shared) == 0;
}

}  // namespace

std::string closest(const std::string& given, const std::vector<std::string>& known) {
  constexpr std::size_t kLongestName = 100;
  if (given.empty() || given.size() > kLongestName) return {};
  const std::string wanted = lower(given);
  std::string best;
  std::size_t best_distance = kLongestName;
  for (const auto& name : known) {
    if (name.size() > kLongestName) continue;
    const std::string candidate = lower(name);
    const std::size_t distance = edit_distance(wanted, candidate);
    const std::size_t most = std::max<std::size_t>(1, std::max(given.size(), name.size()) / 3);
    if (distance <= most && distance < best_distance) {
      best = name;
      best_distance = distance;
    }
  }
  if (!best.empty()) return best;
  for (const auto& name : known)
    if (one_begins_the_other(wanted, lower(name))) return name;
  return {};
}

}  // namespace streamd
