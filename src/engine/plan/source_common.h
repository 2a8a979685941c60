// SPDX-License-Identifier: Apache-2.0
// What every source can be told, whatever its type: how to decode, what is a record's time.
#pragma once

#include "engine/api/field_type.h"
#include "engine/api/spec.h"
#include "engine/codec/decode.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd {

enum class LatePolicy { drop, route };
template <>
struct EnumNames<LatePolicy> {
  static constexpr std::array<std::pair<LatePolicy, std::string_view>, 2> values = {
      {{LatePolicy::drop, "drop"}, {LatePolicy::route, "route"}}};
};

struct TimeConfig {
  std::string field;                                   // dotted path; empty: see settle_time
  std::string format = "rfc3339";                      // see codec/time_format.h
  Duration max_delay = Duration::from_seconds(0);      // behind the newest record, still on time
  Duration idle_after = Duration::from_seconds(10);    // then a caught-up partition is idle
  Duration max_future = Duration::from_seconds(3600);  // ahead of the wall clock; then clamped
  LatePolicy late = LatePolicy::drop;
};

template <>
struct NestedSpec<TimeConfig> {
  static const Spec<TimeConfig>& spec();
};

struct SourceCommon {
  std::string type;
  DecodeConfig decode;
  ByteSize max_record{1 << 20};
  std::optional<TimeConfig> time;  // none: arrival time
};

const Spec<SourceCommon>& source_common_spec();  // plus `type`

// Completes and checks `time` against what the decoder gives: access logs have `time_local` and
// syslog has `timestamp`, which are the defaults; a field that a closed schema does not have and a
// format that is none are errors. `time`: the setting, null when there is none.
void settle_time(const ConfigNode* time, SourceCommon& common, Diagnostics& problems);

// What every list can be told.
struct ListCommon {
  std::string type;
};
const Spec<ListCommon>& list_common_spec();

// What every operator and sink can be told.
struct NodeCommon {
  std::string type;
  std::vector<std::string> input;  // node, node.late or node.ROUTE
};
const Spec<NodeCommon>& node_common_spec();

}  // namespace streamd
