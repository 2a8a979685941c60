// SPDX-License-Identifier: Apache-2.0
// The command line: verbs, options, exit codes. Exit codes are part of the interface: 0 done, 1
// failed at run time, 2 wrong configuration or usage.
#pragma once

namespace streamd {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

int run_command_line(int argc, char** argv);

}  // namespace streamd
