// SPDX-License-Identifier: Apache-2.0
// What a power cut leaves of RocksDB's write-ahead log, told apart from damage.
//
// Every write of the state is synced before the next one is begun. So bytes that do not decode are
// what was never synced, and nobody was told of it, only as long as no other write begins behind
// them. Included only in this folder.
#pragma once

#include <string>
#include <string_view>

namespace streamd {

// Whether the bytes of one log file decode up to their end, or up to the last write that begins in
// them.
enum class WalEnd { whole, torn, damaged };
WalEnd wal_end(std::string_view log);

// Over all log files of the database in `dir`, in their order. True: some bytes do not decode and
// no write begins behind them. False also when a file cannot be read.
bool only_last_write_is_torn(const std::string& dir);

}  // namespace streamd
