// SPDX-License-Identifier: Apache-2.0
// Values of tests, written as YAML.
#pragma once

#include "engine/config/yaml.h"
#include "tests/support/catch.h"

#include <string>

namespace streamd::test {

inline ConfigNode yaml_node(const std::string& text) {
  Diagnostics problems;
  const auto node = parse_yaml(text, 0, {}, problems);
  INFO(text);
  REQUIRE(node.has_value());
  REQUIRE(problems.errors() == 0);
  return *node;
}

}  // namespace streamd::test
