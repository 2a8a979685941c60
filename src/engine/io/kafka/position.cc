// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/position.h"

#include <fmt/format.h>

#include <charconv>

namespace streamd::kafka {
namespace {

template <class Int>
bool read_whole(std::string_view text, Int& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc{} && end == text.data() + text.size() && into >= 0;
}

}  // namespace

std::string format_position(std::int64_t offset) { return fmt::format("1:{}", offset); }

Result<std::int64_t> parse_position(std::string_view text) {
  std::int64_t offset = 0;
  if (!text.starts_with("1:") || !read_whole(text.substr(2), offset))
    return fail(ErrorKind::state, fmt::format("\"{}\" is no position in a Kafka partition", text),
                "the state was written by another version or is damaged");
  return offset;
}

std::string partition_name(std::string_view topic, std::int32_t partition) {
  return fmt::format("{}/{}", topic, partition);
}

Result<TopicPartition> parse_partition_name(std::string_view name) {
  TopicPartition found;
  const auto slash = name.rfind('/');
  if (slash == std::string_view::npos || slash == 0 ||
      !read_whole(name.substr(slash + 1), found.partition))
    return fail(ErrorKind::state, fmt::format("\"{}\" is no Kafka partition", name));
  found.topic = name.substr(0, slash);
  return found;
}

bool is_topic_name(std::string_view name) {
  if (name.empty() || name.size() > 249 || name == "." || name == "..") return false;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

}  // namespace streamd::kafka
