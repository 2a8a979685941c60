// SPDX-License-Identifier: Apache-2.0
// What went wrong with a file of the outbox, as an error that says whether it can heal.
#pragma once

#include "engine/core/error.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace streamd::delivery {

// A full disk heals by somebody's making room; others of these do not by waiting.
inline tl::unexpected<Error> disk_error(const char* what, const std::string& path, int code) {
  std::string text = fmt::format("cannot {} \"{}\": {}", what, path, std::strerror(code));
  if (code == ENOSPC || code == EDQUOT)
    return fail_for_now(std::move(text), "Free some space; writing goes on then.");
  if (code == EMFILE || code == ENFILE) return fail_for_now(std::move(text));
  return fail(ErrorKind::state, std::move(text),
              "Make sure that the state folder is writable and the disk healthy.");
}

// After a failed sync the kernel may have dropped the pages, and the next sync would succeed: only
// a restart from the checkpoint is safe.
inline tl::unexpected<Error> not_durable(const std::string& path, int code) {
  return fail(ErrorKind::state, fmt::format("cannot sync \"{}\": {}", path, std::strerror(code)),
              "Make sure that the disk is healthy and has room; the next start goes on from the "
              "last checkpoint.");
}

}  // namespace streamd::delivery
