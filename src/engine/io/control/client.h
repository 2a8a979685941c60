// SPDX-License-Identifier: Apache-2.0
// The other end of the control socket: asks a running process and passes on what it says.
#pragma once

#include "engine/core/error.h"
#include "engine/core/time.h"
#include "engine/io/control/protocol.h"

#include <functional>
#include <string>

namespace streamd::control {

// Gives the exit code of the answer. `line`: called for each line, on the calling thread; false
// ends it (exit code 0). `within`: how long the process may take for its first word; zero: any
// time. Errors with Retry::backoff: nobody is there; others: the process went away in the middle,
// says nothing, or what it says is no answer.
Result<int> ask(const std::string& path, const Request& request,
                const std::function<bool(const AnswerLines::Line&)>& line, Duration within = {});

}  // namespace streamd::control
