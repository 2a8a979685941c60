// SPDX-License-Identifier: Apache-2.0
#include "operators/builtin_operators.h"

namespace streamd {

void add_builtin_operators(Registry& registry) {
  add_absent_operator(registry);
  add_baseline_operator(registry);
  add_convert_operator(registry);
  add_dedupe_operator(registry);
  add_explode_operator(registry);
  add_extract_operator(registry);
  add_fill_operator(registry);
  add_filter_operator(registry);
  add_first_seen_operator(registry);
  add_join_operator(registry);
  add_map_operator(registry);
  add_match_operator(registry);
  add_outliers_operator(registry);
  add_parse_operator(registry);
  add_route_operator(registry);
  add_sample_operator(registry);
  add_score_operator(registry);
  add_throttle_operator(registry);
  add_window_operator(registry);
}

}  // namespace streamd
