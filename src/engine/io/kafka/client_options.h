// SPDX-License-Identifier: Apache-2.0
// What a pipeline file says about a connection to Kafka, checked without opening a socket.
#pragma once

#include "engine/api/config_node.h"
#include "engine/api/diagnostics.h"

#include <string>
#include <utility>
#include <vector>

namespace streamd::kafka {

enum class Role { consumer, producer };

struct ClientOptions {
  std::string brokers;  // host:port, comma-separated
  // librdkafka's own properties, in the order of the file; they win over streamd's settings.
  std::vector<std::pair<std::string, std::string>> properties;

  bool operator==(const ClientOptions&) const = default;
};

// Reads `options:`, a map of librdkafka properties (null shape = none). Reports unknown names with
// the closest known one, values that librdkafka refuses, and properties that would break what
// streamd promises, with the reason. False when it reported something.
bool read_properties(const ConfigNode& node, Role role, ClientOptions& into, Diagnostics& problems);

// The properties that the two roles refuse, for the documentation: name and reason.
const std::vector<std::pair<std::string, std::string>>& refused_properties(Role role);

}  // namespace streamd::kafka
