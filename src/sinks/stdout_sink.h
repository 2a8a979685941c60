// SPDX-License-Identifier: Apache-2.0
// Records as lines on a descriptor.
#pragma once

#include "engine/api/sink.h"

#include <functional>
#include <memory>
#include <string>

namespace streamd {

// Appends the line of record i, without its end. False: the record cannot be written, *why says so.
using LineWriter =
    std::function<bool(const Batch&, std::size_t i, std::string& out, std::string* why)>;

// Writes to `descriptor` (not owned) in write(), batch by batch. Several may write to one: the
// lines of each stay whole (line_outlet.h).
std::unique_ptr<Sink> open_line_sink(int descriptor, LineWriter line);

}  // namespace streamd
