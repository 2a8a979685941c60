// SPDX-License-Identifier: Apache-2.0
#include "engine/app/logging.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <sys/ioctl.h>
#include <unistd.h>

namespace streamd {

LogFn stderr_log() {
  auto logger = spdlog::get("streamd");
  if (!logger) {
    logger = spdlog::stderr_color_mt("streamd");
    // The escape clears what is left of a progress line.
    logger->set_pattern(
        isatty(2) ? "\x1b[K%Y-%m-%dT%H:%M:%S.%eZ %^%L%$ %v" : "%Y-%m-%dT%H:%M:%S.%eZ %L %v",
        spdlog::pattern_time_type::utc);
    logger->flush_on(spdlog::level::info);
  }
  return [logger](LogLevel level, const std::string& text) {
    const auto to = level == LogLevel::error     ? spdlog::level::err
                    : level == LogLevel::warning ? spdlog::level::warn
                                                 : spdlog::level::info;
    logger->log(to, "{}", text);
  };
}

ProgressLine::ProgressLine() : terminal_(isatty(2) != 0) {}

void ProgressLine::draw(const std::string& line) {
  if (!terminal_) {
    std::fprintf(stderr, "%s\n", line.c_str());
    return;
  }
  winsize size{};
  const bool known = ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  const std::size_t width = known ? size.ws_col - 1u : 79u;
  // The cursor goes back to the line's start: whatever is printed next takes its place.
  std::fprintf(stderr, "\r\x1b[K%s\r", line.substr(0, width).c_str());
  std::fflush(stderr);
  drawn_ = true;
}

void print_error(const Error& error) {
  std::fprintf(stderr, "error: %s\n", error.message.c_str());
  if (!error.hint.empty()) std::fprintf(stderr, "  = help: %s\n", error.hint.c_str());
}

void ProgressLine::clear() {
  if (drawn_) std::fputs("\r\x1b[K", stderr);
  drawn_ = false;
}

}  // namespace streamd
