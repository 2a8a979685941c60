// SPDX-License-Identifier: Apache-2.0
// ListStatus: how a list of a running pipeline is doing, as a small file beside its copy, for
// `streamd lists`. It decides nothing.
#pragma once

#include "engine/core/time.h"

#include <cstddef>
#include <optional>
#include <string>

namespace streamd {

struct ListStatus {
  std::size_t entries = 0;
  EventTime loaded{};   // when the content in force came
  std::string trouble;  // why there is none newer; empty: all is well
  EventTime since{};    // of the trouble

  bool operator==(const ListStatus&) const = default;
};

// <pipeline_dir>/lists/<name>.status.json. nullopt: there is none, or it is none.
std::optional<ListStatus> read_list_status(const std::string& pipeline_dir,
                                           const std::string& name);
// Whole or not at all, into a folder that is there; that it can't be written changes nothing.
void write_list_status(const std::string& pipeline_dir, const std::string& name,
                       const ListStatus& status);

}  // namespace streamd
