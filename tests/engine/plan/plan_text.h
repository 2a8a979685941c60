// SPDX-License-Identifier: Apache-2.0
// YAML text -> Plan with the fake components, for tests.
#pragma once

#include "engine/config/yaml.h"
#include "engine/plan/build.h"
#include "tests/engine/plan/fake_components.h"

#include <optional>
#include <string>

namespace streamd::fake {

inline Surroundings surroundings() {
  return {[](const std::string& name) -> std::optional<std::string> {
            if (name == "SECRET") return "hunter2";
            return std::nullopt;
          },
          [](const std::string& path) -> Result<std::string> {
            return fail(ErrorKind::config, "cannot read file \"" + path + "\"",
                        "check that it exists and may be read by this user");
          }};
}

inline std::optional<Plan> plan_of(const std::string& text, Diagnostics& problems) {
  const auto document = parse_yaml(text, 0, surroundings(), problems);
  if (!document) return std::nullopt;
  auto plan = build_plan(*document, registry(), problems);
  return problems.errors() > 0 ? std::nullopt : std::move(plan);
}

}  // namespace streamd::fake
