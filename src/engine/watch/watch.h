// SPDX-License-Identifier: Apache-2.0
// Answers what people ask of a running pipeline: `streamd tap` and `streamd health`, over a socket
// in the pipeline's folder.
#pragma once

#include "engine/core/clock.h"
#include "engine/io/control/server.h"
#include "engine/runtime/log.h"
#include "engine/runtime/run.h"
#include "engine/watch/secret_mask.h"

#include <memory>
#include <string>
#include <vector>

namespace streamd {

// The socket's name in the folder of a pipeline.
inline constexpr const char* kControlSocket = "CONTROL";

struct WatchOptions {
  const Clock* clock = nullptr;
  LogFn log;
  std::vector<std::string> secrets;  // values that nobody gets to see
  Duration checkpoint_every = Duration::from_seconds(1);
};

// For RunOptions::observe. A socket that can't be made is a warning: the pipeline runs all the
// same, and nobody can look at it.
std::shared_ptr<void> watch(const Observed& observed, WatchOptions options);

// What a request is answered with; all three must outlive it.
//   tap     node, port, where, limit, json: the records that pass there
//   health  limit: exit code 0 or 1, and what is wrong
control::Handler answers_about(const Observed& observed, const WatchOptions& options,
                               const SecretMask& mask);

}  // namespace streamd
