// SPDX-License-Identifier: Apache-2.0
// A plan in words, for `streamd check`: what is read from where, what each source decodes and whose
// clock counts, what flows on each edge, and what each sink promises.
#pragma once

#include "engine/plan/plan.h"

#include <string>

namespace streamd {

std::string describe(const Plan& plan);

// "event time from @timestamp (unix), 2s late allowed"; for logs and `check`.
std::string describe_time(const PlanNode& source);
// "status int, host any + the rest of the record"
std::string describe_schema(const Schema& schema);

}  // namespace streamd
