// SPDX-License-Identifier: Apache-2.0
// What every source must do. A source's test hands over how to open it at positions.
#pragma once

#include "engine/api/source.h"
#include "tests/contract/component.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace streamd::test {

struct SeenRecord {
  std::string partition;
  std::uint64_t position;
  std::string data;
  std::string fault;
  bool operator==(const SeenRecord&) const = default;
};

inline Positions positions_of(Reader& reader) {
  std::vector<PartitionState> states;
  reader.partitions(states);
  Positions positions;
  for (const auto& s : states) positions[reader.partition_name(s.partition)] = s.position;
  return positions;
}

inline Pull pull_once(Reader& reader, std::vector<SeenRecord>& into,
                      std::size_t max_records = 4096) {
  RawBatch batch;
  auto pulled = reader.pull({max_records, Duration{0}}, batch);
  if (!pulled) FAIL(pulled.error().message);
  if (*pulled != Pull::data) CHECK(batch.records.empty());
  CHECK(batch.records.size() <= max_records);
  for (const auto& r : batch.records)
    into.push_back({reader.partition_name(batch.partition), r.position, std::string(r.data),
                    std::string(r.fault)});
  return *pulled;
}

// Pulls until there is nothing more for now, or the end.
inline std::vector<SeenRecord> drain(Reader& reader, std::size_t max_records = 4096) {
  std::vector<SeenRecord> all;
  for (int i = 0; i < 100'000; ++i)
    if (pull_once(reader, all, max_records) != Pull::data) return all;
  FAIL("the source never stops");
  return all;
}

// open(positions): a new Source as after a restart. Bounded, one worker, at least two batches of
// max_records records.
inline void check_resume(const std::function<std::unique_ptr<Source>(const Positions&)>& open,
                         std::size_t max_records) {
  auto source = open({});
  auto reader = std::move(*source->reader(0));
  std::vector<SeenRecord> all;
  std::vector<std::pair<std::size_t, Positions>> stops{{0, positions_of(*reader)}};
  while (pull_once(*reader, all, max_records) == Pull::data)
    stops.emplace_back(all.size(), positions_of(*reader));
  REQUIRE(stops.size() > 2);
  RawBatch none;
  CHECK(reader->pull({max_records, Duration{0}}, none).value() == Pull::end);
  std::vector<PartitionState> states;
  reader->partitions(states);
  for (const auto& s : states) CHECK(s.ended);
  reader.reset();
  source->close();

  for (const auto& [count, positions] : stops) {
    auto again = open(positions);
    auto rest_reader = std::move(*again->reader(0));
    const auto rest = drain(*rest_reader, max_records);
    REQUIRE(rest.size() == all.size() - count);
    CHECK(std::equal(rest.begin(), rest.end(), all.begin() + static_cast<std::ptrdiff_t>(count)));
    again->close();
  }
}

}  // namespace streamd::test
