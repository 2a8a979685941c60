// SPDX-License-Identifier: Apache-2.0
// How a block list is written for those who read it. Pure.
#pragma once

#include "sinks/blocklist/entries.h"

#include <cstdint>
#include <string>

namespace streamd::blocklist {

enum class Format : std::uint8_t {
  plain,     // an address or network on each line
  nginx,     // deny 192.0.2.1; — for include in an http, server or location block
  nftables,  // for nft -f: fills the sets NAME4 and NAME6 of table inet streamd, in one transaction
  csv,       // address,score,reasons,first_told,last_told,expires with a header line
};

// `set`: of nftables, the names of the sets without the 4 or 6.
std::string written(const Entries& entries, Format format, const std::string& set);

}  // namespace streamd::blocklist
