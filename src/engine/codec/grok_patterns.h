// SPDX-License-Identifier: Apache-2.0
// The patterns that grok knows by name. Private to codec/.
//
// The names are the usual ones. The definitions are streamd's own, in RE2: no look-around, so edges
// are \b, and small, as every step costs time for every line. IPV6 accepts the form and not only
// addresses; HOSTNAME has no limit of length.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace streamd {

// "" when there is no such pattern.
std::string_view standard_grok_pattern(std::string_view name);
std::vector<std::string> standard_grok_names();

}  // namespace streamd
