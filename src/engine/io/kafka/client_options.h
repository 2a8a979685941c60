// SPDX-License-Identifier: Apache-2.0
// What a pipeline file says about a connection to Kafka, checked without opening a socket.
#pragma once

#include "engine/api/config_node.h"
#include "engine/api/diagnostics.h"

#include <cstdint>
#include <string>
#include <string_view>
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

// `brokers` of a node, joined for librdkafka, which takes almost any text: http://x and port 99999
// (as 34463) too. Reports each that is no host:port at its place below `node`.
std::string read_brokers(const std::vector<std::string>& brokers, const ConfigNode& node,
                         Diagnostics& problems);

// What the property in milliseconds is set to, else `otherwise`.
std::int64_t millis_of(const ClientOptions& options, std::string_view property,
                       std::int64_t otherwise);

// Whether a consumer's records can be fetched without librdkafka: the properties leave brokers that
// take plain connections, and concern only membership.
bool may_fetch_directly(const ClientOptions& options);

// The properties that the two roles refuse, for the documentation: name and reason.
const std::vector<std::pair<std::string, std::string>>& refused_properties(Role role);

}  // namespace streamd::kafka
