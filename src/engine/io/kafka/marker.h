// SPDX-License-Identifier: Apache-2.0
// Marker: the number of the last epoch that a process committed to Kafka. It is the metadata of an
// offset of a group of its own, written within the transaction that it counts: "streamd:1:<epoch>".
//
// The group, like the transactional id, carries the id of the state directory: several processes of
// one pipeline have epochs of their own, and after --fresh the markers of before do not count.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace streamd::kafka {

std::string transactional_id(const std::string& pipeline, const std::string& state_id);
std::string marker_group(const std::string& pipeline, const std::string& state_id);
std::string format_marker(std::uint64_t epoch);
// nullopt: the text is no marker.
std::optional<std::uint64_t> parse_marker(std::string_view text);

}  // namespace streamd::kafka
