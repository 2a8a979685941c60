// SPDX-License-Identifier: Apache-2.0
// Any bytes as a pipeline file, through the whole way that `check` takes. Either there is a plan
// and no error, or there is an error and no plan; what is told can be rendered and cites no secret.
#include "engine/config/render.h"
#include "engine/core/check.h"
#include "engine/plan/describe.h"
#include "tests/engine/plan/plan_text.h"

#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  streamd::Diagnostics problems;
  const auto plan = streamd::fake::plan_of(text, problems);
  STREAMD_CHECK(plan.has_value() == (problems.errors() == 0), "a plan or an error, never both");
  const std::string told =
      streamd::render(problems, {{"input.yaml", text}}, false, {{}, {"token"}});
  STREAMD_CHECK(told.empty() == problems.all().empty(), "every problem is told");
  STREAMD_CHECK(
      text.find("hunter2") != std::string::npos || told.find("hunter2") == std::string::npos,
      "a value from the environment is never shown");
  if (plan) STREAMD_CHECK(!streamd::describe(*plan).empty(), "a plan can be described");
  return 0;
}
