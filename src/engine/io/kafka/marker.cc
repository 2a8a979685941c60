// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/marker.h"

#include <fmt/format.h>

#include <charconv>

namespace streamd::kafka {
namespace {

constexpr std::string_view kPrefix = "streamd:1:";

}  // namespace

std::string marker_group(const std::string& pipeline) { return "streamd-epoch-" + pipeline; }

std::string format_marker(std::uint64_t epoch, std::string_view state_id) {
  return fmt::format("{}{}:{}", kPrefix, epoch, state_id);
}

std::optional<std::uint64_t> parse_marker(std::string_view text, std::string_view state_id) {
  if (!text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  std::uint64_t epoch = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), epoch);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.starts_with(':') || text.substr(1) != state_id) return std::nullopt;
  return epoch;
}

}  // namespace streamd::kafka
