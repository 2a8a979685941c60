// SPDX-License-Identifier: Apache-2.0
// A source that hands out given records once and then stays quiet; stands in for a pipeline's own
// source while dead letters are replayed.
#pragma once

#include "engine/api/source.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace streamd {

// `done` is called (on a worker thread) when the last record was handed out and asked past.
std::unique_ptr<SourcePlan> replay_source(std::vector<std::string> records,
                                          std::function<void()> done);

}  // namespace streamd
