// SPDX-License-Identifier: Apache-2.0
// The end of RocksDB's log after a power cut: any bytes get an answer, and whatever stands behind
// the last byte that decodes never turns a whole log into a damaged one without a write in it.
#include "engine/core/check.h"
#include "engine/state/wal_tail.h"

#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using streamd::wal_end;
  using streamd::WalEnd;
  const std::string_view log(reinterpret_cast<const char*>(data), size);
  const WalEnd told = wal_end(log);
  if (told != WalEnd::whole) return 0;
  std::string longer(log);
  longer.append(64, '\xFF');
  STREAMD_CHECK(wal_end(longer) != WalEnd::damaged, "nothing begins in bytes that are no write");
  return 0;
}
