// SPDX-License-Identifier: Apache-2.0
// Stream sockets in the file system, whose path may be longer than the 107 bytes that the kernel
// takes: then the folder is opened, and /proc names it. Private to io/control.
#pragma once

#include "engine/core/error.h"
#include "engine/io/net/socket.h"

#include <string>

namespace streamd::control {

// Receives there, for nobody but this user (0600). A file that lies there is replaced: the caller
// knows that its owner is gone.
Result<net::Socket> listen_in_file(const std::string& path);

// Errors with Retry::backoff: nobody is there.
Result<net::Socket> connect_to_file(const std::string& path);

}  // namespace streamd::control
