// SPDX-License-Identifier: Apache-2.0
// Answer: reads one response from a wire, as it comes. Beast's parser inside. Private.
#pragma once

#include "engine/io/http/headers.h"
#include "engine/io/http/wire.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace streamd::http {

// One thread. Moves; the wire must live longer.
class Answer {
 public:
  // without_body: the request was HEAD or CONNECT.
  Answer(Wire& wire, bool without_body);
  ~Answer();
  Answer(Answer&&) noexcept;
  Answer& operator=(Answer&&) noexcept;

  // Until status and headers are there; interim responses (1xx) are skipped. Pieces of the body may
  // have come as well.
  Try<void> read_head(const Wait& wait);
  // More of the body goes to body(); false: it is complete.
  Try<bool> read_more(const Wait& wait);

  int status() const;
  Headers& headers();
  // What has come of the body and was not taken out by the caller; still encoded.
  std::string& body();
  std::optional<std::uint64_t> content_length() const;
  // Whether any byte has come.
  bool has_begun() const;
  bool complete() const;
  // Whether the connection may carry another request.
  bool keeps_alive() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace streamd::http
