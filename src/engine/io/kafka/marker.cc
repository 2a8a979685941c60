// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/marker.h"

#include <fmt/format.h>

#include <charconv>

namespace streamd::kafka {
namespace {

constexpr std::string_view kPrefix = "streamd:1:";

}  // namespace

std::string transactional_id(const std::string& pipeline, const std::string& state_id) {
  return fmt::format("streamd-{}-{}", pipeline, state_id);
}

std::string marker_group(const std::string& pipeline, const std::string& state_id) {
  return fmt::format("streamd-epoch-{}-{}", pipeline, state_id);
}

std::string format_marker(std::uint64_t epoch) { return fmt::format("{}{}", kPrefix, epoch); }

std::optional<std::uint64_t> parse_marker(std::string_view text) {
  if (!text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  std::uint64_t epoch = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, epoch);
  if (error != std::errc{} || end != last) return std::nullopt;
  return epoch;
}

}  // namespace streamd::kafka
