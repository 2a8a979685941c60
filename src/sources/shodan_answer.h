// SPDX-License-Identifier: Apache-2.0
// What Shodan says when something is wrong, as errors that say what to do; and how fast it may be
// asked. Private to the shodan source.
#pragma once

#include "engine/api/shared.h"
#include "engine/core/error.h"
#include "engine/core/time.h"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace streamd::shodan {

// The text of a top-level "error" key; nullopt: the body is no such object.
std::optional<std::string> error_text(std::string_view body);

// An answer that is no success. `what`: "Shodan's search". The key never appears in the result,
// also when the far side repeats it.
Error refusal(int status, std::string_view body, std::string_view what, const std::string& key);
// Whether the error means that no query credits are left.
bool is_exhausted(const Error& error);
// Whether it means that requests came faster than one a second.
bool is_too_often(const Error& error);

// One request a second for all sources of a process that use a key. Thread-safe.
class Pace {
 public:
  static std::shared_ptr<Pace> of(Shared* shared, const std::string& key);
  // How long to wait before asking; 0: now, and the next one has to wait.
  Duration take(Duration now);

 private:
  std::mutex mutex_;
  std::optional<Duration> next_;
};

}  // namespace streamd::shodan
