// SPDX-License-Identifier: Apache-2.0
// What a test file says against the pipeline it is about: names that are not there, fields that no
// row can have, lists and services without a stand-in. Pure.
#pragma once

#include "engine/testing/bench.h"
#include "engine/testing/test_file.h"

#include <set>
#include <string>

namespace streamd::testing {

// `plan`: of the pipeline as it is. `document`: it, too. `place`: of the file, for what is missing.
void check_names(const TestFile& file, const Plan& plan, const ConfigNode& document, Place place,
                 Diagnostics& problems);

// The places that a case looks at and that are no sinks.
std::set<std::string> places_of(const Case& the_case, const Plan& plan);

// The sources that ask in a case: there are answers for them.
std::set<std::string> asking_of(const TestFile& file, const Case& the_case, const Plan& plan);

// Fields of expected rows against what the place's records can have, and of what is sent against
// what the sink sends.
void check_fields(const Case& the_case, const Bench& bench, Diagnostics& problems);

// The steps of a case, its own keys last.
template <class Each>
void each_step(const Case& the_case, Each each) {
  for (const Step& step : the_case.steps) each(step);
  each(static_cast<const Step&>(the_case));
}

}  // namespace streamd::testing
