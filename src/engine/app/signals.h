// SPDX-License-Identifier: Apache-2.0
// SIGTERM and SIGINT: the first asks for an orderly stop, the second ends the process at once.
#pragma once

#include <stop_token>

namespace streamd {

// Installs the handlers, once per process, before other threads start. The source is stopped by the
// first signal (on a thread of its own, so its callbacks may take locks).
void stop_on_signals(std::stop_source stop);

}  // namespace streamd
