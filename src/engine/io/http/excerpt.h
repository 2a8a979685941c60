// SPDX-License-Identifier: Apache-2.0
// What a far side has said, in a form that people can read in a log. Pure.
#pragma once

#include <string>
#include <string_view>

namespace streamd {

// The beginning of a text from outside on one line, without control characters and, where it is
// HTML, as its title: fit for a log.
std::string excerpt(std::string_view body);

}  // namespace streamd
