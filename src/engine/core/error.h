// SPDX-License-Identifier: Apache-2.0
// Errors and results. Every module boundary returns Result<T> or Status; streamd code does not
// throw. Libraries that do are caught in the one folder that includes them.
#pragma once

#include <tl/expected.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace streamd {

// Who is to blame; decides what the engine does (ARCHITECTURE.md, "Errors").
enum class ErrorKind : std::uint8_t { config, data, external, state, plugin, internal };

// Whether the same call may succeed later without anybody doing anything.
enum class Retry : std::uint8_t { never, backoff };

struct Error {
  ErrorKind kind = ErrorKind::internal;
  Retry retry = Retry::never;
  std::string message;  // one fact, lower case, no full stop: topic "clicks" does not exist
  std::string hint;     // may be empty; one sentence that says what the user can do
  // This run is over, but nothing is lost and nothing has to be changed: another run that begins at
  // the last committed epoch can go on. The process begins it by itself.
  bool goes_on = false;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = tl::expected<void, Error>;

// Makers for the usual kinds, so that a call site reads as one sentence.
[[nodiscard]] inline tl::unexpected<Error> fail(ErrorKind kind, std::string message,
                                                std::string hint = {}) {
  return tl::unexpected<Error>(Error{kind, Retry::never, std::move(message), std::move(hint)});
}
[[nodiscard]] inline tl::unexpected<Error> fail_for_now(std::string message,
                                                        std::string hint = {}) {
  return tl::unexpected<Error>(
      Error{ErrorKind::external, Retry::backoff, std::move(message), std::move(hint)});
}

// Prefixes an error on its way up: `kafka source "clicks": ` + message.
[[nodiscard]] inline tl::unexpected<Error> in_context(Error error, const std::string& where) {
  error.message = where + ": " + error.message;
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace streamd

// Returns the error of a Status or Result to the caller.
#define STREAMD_TRY(expression)                                  \
  do {                                                           \
    if (auto streamd_status_ = (expression); !streamd_status_)   \
      return tl::unexpected(std::move(streamd_status_).error()); \
  } while (false)
