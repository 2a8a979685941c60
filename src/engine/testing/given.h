// SPDX-License-Identifier: Apache-2.0
// What a test file gives to a source, as the records that the source hands out: holes filled,
// repetitions written out, times put where the source reads them. Pure.
#pragma once

#include "engine/plan/plan.h"
#include "engine/testing/test_file.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::testing {

struct GivenRecord {
  std::string source, partition;
  std::string data;
  std::optional<EventTime> at;  // where the virtual clock is to be
};

// In the order in which they come: by their times; those without one follow the one before them.
std::vector<GivenRecord> records_of(const NamedList<GivenList>& in, const Plan& plan,
                                    EventTime start);

// Reports holes that mean nothing, at their records.
void check_given(const GivenList& given, Diagnostics& problems);

// A time as text: unix, unix_ms, unix_us, unix_ns, rfc3339, clf or a pattern (codec/time_format.h).
std::string write_time(EventTime time, std::string_view format);
// The format in which the source's records hold their time.
std::string time_format_of(const PlanNode& source);

}  // namespace streamd::testing
