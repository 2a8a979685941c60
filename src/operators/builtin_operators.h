// SPDX-License-Identifier: Apache-2.0
// The operators that are part of the binary. Each is declared in its own file; this lists them.
// enrich, which talks to a network, has a folder of its own.
#pragma once

#include "engine/api/registry.h"

namespace streamd {

void add_absent_operator(Registry& registry);
void add_baseline_operator(Registry& registry);
void add_convert_operator(Registry& registry);
void add_dedupe_operator(Registry& registry);
void add_explode_operator(Registry& registry);
void add_extract_operator(Registry& registry);
void add_fill_operator(Registry& registry);
void add_filter_operator(Registry& registry);
void add_first_seen_operator(Registry& registry);
void add_join_operator(Registry& registry);
void add_map_operator(Registry& registry);
void add_match_operator(Registry& registry);
void add_outliers_operator(Registry& registry);
void add_parse_operator(Registry& registry);
void add_route_operator(Registry& registry);
void add_sample_operator(Registry& registry);
void add_score_operator(Registry& registry);
void add_throttle_operator(Registry& registry);
void add_window_operator(Registry& registry);

// All of them.
void add_builtin_operators(Registry& registry);

}  // namespace streamd
