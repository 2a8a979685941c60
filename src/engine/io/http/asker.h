// SPDX-License-Identifier: Apache-2.0
// Asker: asks a service many small questions side by side, no more often than it may be asked, and
// lets it alone while it fails. Behind operators that wait for answers; one for all workers of a
// node, thread-safe. It knows no protocol: a question is a function that sends a request.
//
// An error of a question means that the service fails: one WARN, and questions are refused at once
// until a back-off is over (Retry-After counts). Then a single one goes out while all others wait
// for what becomes of it: a service that hangs costs one time-out per back-off. The first answer
// ends that: "healed". What an answer says is no matter of the asker.
#pragma once

#include "engine/core/backoff.h"
#include "engine/core/clock.h"
#include "engine/core/error.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace streamd::http {

struct AskerOptions {
  std::uint32_t concurrency = 4;  // questions under way at the same time
  double per_second = 0;          // questions begun; 0: any number
  BackoffLimits retry{Duration::from_seconds(1)};
  std::string far_side;   // for the log: "CrowdSec's local API"; no secrets
  std::string meanwhile;  // for the log: "records become dead letters"
};

// How a question went.
struct Asked {
  std::optional<Error> error;           // the service fails; none: it has answered
  std::optional<Duration> retry_after;  // with an error: its own wish
};

class Asker {
 public:
  // Level 0 info, 1 warning; any thread. Null: nobody reads it.
  using Log = std::function<void(int level, const std::string& text)>;
  // Asks question n; on a thread of the asker. Returns soon after `stop`.
  using Question = std::function<Asked(std::size_t n, const std::stop_token& stop)>;

  // `clock` must live as long as the asker. Threads begin with the first questions.
  Asker(AskerOptions options, const Clock& clock, Log log, std::uint64_t dice_seed);
  // No call may be under way.
  ~Asker();
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;

  // Asks questions 0 … count - 1 and returns when each is answered or given up. why: by question,
  // what it got instead of an answer; empty: it was answered. After `stop` the rest is given up.
  // Error: the service refuses for good (Retry::never) and has answered nothing since the start;
  // later refusals are failures like others.
  Status ask(std::size_t count, const Question& question, const std::stop_token& stop,
             std::vector<std::string>& why);

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace streamd::http
