// SPDX-License-Identifier: Apache-2.0
// What is said over the control socket of a running process. One request and its answer per
// connection.
//
//   request  = words, each ended by NUL, and an empty word at the end:
//              "streamd/1" verb name=value …
//   answer   = lines, each ended by LF; the first byte says what it is:
//              'o' for standard output, 'e' for standard error, 'x' exit code: the last line
//
// So whoever asks needs no knowledge of what it is told, and an older `streamd tap` works with a
// newer process.
#pragma once

#include "engine/core/error.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd::control {

inline constexpr std::size_t kMaxRequestBytes = 128 << 10;
inline constexpr std::size_t kMaxRequestWords = 32;

struct Request {
  std::string verb;
  std::vector<std::pair<std::string, std::string>> values;
  // The value of that name, "" without one.
  std::string_view get(std::string_view name) const;
};

// Values must hold no NUL.
std::string encode(const Request& request);

// nullopt: it goes on. An error says what is wrong with it; nothing more has to be read then.
Result<std::optional<Request>> parse_request(std::string_view bytes);

// Lines of an answer that wait to be sent. One thread.
class Answer {
 public:
  void out(std::string_view line) { add('o', line); }
  // Any number of lines.
  void err(std::string_view text);
  void finish(int exit_code);

  bool finished() const { return finished_; }
  const std::string& bytes() const { return bytes_; }
  void sent(std::size_t count) { bytes_.erase(0, count); }

 private:
  void add(char kind, std::string_view line);

  std::string bytes_;
  bool finished_ = false;
};

// An answer as it comes in. One thread.
class AnswerLines {
 public:
  struct Line {
    char kind = 'o';
    std::string text;
  };
  void add(std::string_view bytes) { bytes_ += bytes; }
  // The next whole line; nullopt: it goes on.
  std::optional<Line> next();

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
};

}  // namespace streamd::control
