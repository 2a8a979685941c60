// SPDX-License-Identifier: Apache-2.0
// Where notices of a run go. ERROR = a person must act; WARN = it healed or will, but look; INFO =
// a handful per run. Nothing per record or batch. Thread-safe: any thread may log.
#pragma once

#include <functional>
#include <string>

namespace streamd {

enum class LogLevel : int { info = 0, warning = 1, error = 2 };
using LogFn = std::function<void(LogLevel, const std::string&)>;

}  // namespace streamd
