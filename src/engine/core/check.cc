// SPDX-License-Identifier: Apache-2.0
#include "engine/core/check.h"

#include <cstdio>
#include <cstdlib>

namespace streamd {

void check_failed(const char* condition, const char* why, const char* file, int line) {
  std::fprintf(stderr, "streamd: internal error: %s (%s) at %s:%d\n", why, condition, file, line);
  std::abort();
}

}  // namespace streamd
