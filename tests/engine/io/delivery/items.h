// SPDX-License-Identifier: Apache-2.0
// Items for the tests of the delivery mechanism.
#pragma once

#include "engine/io/delivery/outbox.h"
#include "tests/contract/component.h"

#include <string>
#include <vector>

namespace streamd::test {

// Frames of items with these documents, for the place `begin`.
inline std::string frames_of(const std::vector<std::string>& documents, std::uint64_t begin) {
  std::string frames;
  for (const auto& document : documents) {
    delivery::Item item;
    item.id = item.document = document;
    item.route = "route";
    item.node = "source";
    item.partition = "0";
    delivery::append_frame(item, begin + frames.size(), frames);
  }
  return frames;
}

inline std::vector<std::string> documents_of(const std::vector<delivery::Item>& items) {
  std::vector<std::string> documents;
  for (const auto& item : items) documents.emplace_back(item.document);
  return documents;
}

using Texts = std::vector<std::string>;

}  // namespace streamd::test
