// SPDX-License-Identifier: Apache-2.0
// Marker: the number of the last epoch that a pipeline committed to Kafka. It is the metadata of an
// offset of group "streamd-epoch-<pipeline>", written within the transaction that it counts:
//   streamd:1:<epoch>:<state id>
// A marker of another state directory (an earlier life of the pipeline) does not count.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace streamd::kafka {

std::string marker_group(const std::string& pipeline);
std::string format_marker(std::uint64_t epoch, std::string_view state_id);
// nullopt for anything else than a marker with this state id.
std::optional<std::uint64_t> parse_marker(std::string_view text, std::string_view state_id);

}  // namespace streamd::kafka
