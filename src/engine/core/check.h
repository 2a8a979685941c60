// SPDX-License-Identifier: Apache-2.0
// STREAMD_CHECK(condition, why): a broken invariant ends the process with a message. A restart
// from the last checkpoint is the recovery; continuing with broken state is not.
#pragma once

namespace streamd {
[[noreturn]] void check_failed(const char* condition, const char* why, const char* file, int line);
}

#define STREAMD_CHECK(condition, why) \
  ((condition) ? void(0) : ::streamd::check_failed(#condition, why, __FILE__, __LINE__))
