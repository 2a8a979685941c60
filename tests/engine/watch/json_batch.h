// SPDX-License-Identifier: Apache-2.0
// Batches of JSON records as a source would emit them, with one decoded column.
#pragma once

#include "engine/core/batch.h"

#include <memory>
#include <string>
#include <vector>

namespace streamd::test {

inline Batch json_batch(std::vector<std::string> records, Column column) {
  const auto texts = std::make_shared<const std::vector<std::string>>(std::move(records));
  auto rows = std::make_shared<Rows>();
  for (std::size_t i = 0; i < texts->size(); ++i) {
    rows->time.push_back({static_cast<std::int64_t>(i) * 1'000'000});
    rows->floor.push_back(EventTime::min());
    rows->position.push_back(i);
    rows->raw.push_back((*texts)[i]);
  }
  Batch batch(std::move(rows), {std::make_shared<const Column>(std::move(column))},
              std::make_shared<const Origin>(Origin{"in", "topic/3"}));
  batch.keep(texts);
  return batch;
}

}  // namespace streamd::test
