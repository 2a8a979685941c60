// SPDX-License-Identifier: Apache-2.0
// Fingerprint: 128 bits that stand for a key, however long. SipHash-2-4-128 under a key made of
// the seed of the state directory: without the seed nobody can make two keys with one fingerprint,
// and by chance it happens among n keys with probability n² / 2^129 (10 million: 1.5e-25).
#pragma once

#include <cstdint>
#include <string_view>

namespace streamd::dedupe {

struct Fingerprint {
  std::uint64_t low = 0, high = 0;
  bool operator==(const Fingerprint&) const = default;
};

// Pure; stable across builds, since fingerprints are on disk.
Fingerprint fingerprint(std::string_view bytes, std::uint64_t key0, std::uint64_t key1);

}  // namespace streamd::dedupe
