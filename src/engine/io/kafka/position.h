// SPDX-License-Identifier: Apache-2.0
// Positions in Kafka partitions as text, "1:<offset>": the offset of the next record to read. The
// text is on disk; the leading number is its version.
#pragma once

#include "engine/core/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace streamd::kafka {

std::string format_position(std::int64_t offset);
// The offset; an Error of kind state for any other text.
Result<std::int64_t> parse_position(std::string_view text);

// "topic/3", and back. Topic names hold no slash.
std::string partition_name(std::string_view topic, std::int32_t partition);
struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
};
Result<TopicPartition> parse_partition_name(std::string_view name);

// What Kafka accepts as the name of a topic: 1 to 249 of [A-Za-z0-9._-], not "." or "..".
bool is_topic_name(std::string_view name);

}  // namespace streamd::kafka
