// SPDX-License-Identifier: Apache-2.0
// Notices on standard error, and the progress line that lives below them on a terminal.
#pragma once

#include "engine/core/error.h"
#include "engine/runtime/log.h"

#include <string>

namespace streamd {

// One line per notice: time, level, text. Thread-safe.
LogFn stderr_log();

// What ended a command: the fact, and what can be done about it.
void print_error(const Error& error);

// Draws over itself on a terminal; elsewhere one line per call. Control thread only.
class ProgressLine {
 public:
  ProgressLine();
  void draw(const std::string& line);
  void clear();
  bool live() const { return terminal_; }

 private:
  bool terminal_ = false;
  bool drawn_ = false;
};

}  // namespace streamd
