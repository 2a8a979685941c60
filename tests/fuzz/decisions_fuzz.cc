// SPDX-License-Identifier: Apache-2.0
// Any bytes as a reply of CrowdSec's local API. What was read is the same after it was saved and
// read again.
#include "engine/core/check.h"
#include "lists/crowdsec_decisions.h"

#include <cstdint>
#include <string_view>

using namespace streamd;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  constexpr EventTime kNow{1'700'000'000'000'000};
  auto reply = crowdsec::read_reply(text, kNow);
  if (!reply) return 0;
  crowdsec::DecisionTable table;
  table.change(std::move(*reply));
  std::size_t unusable = 0;
  const auto list = table.list({}, 1, unusable);
  STREAMD_CHECK(list->size() <= table.size(), "no entry without a decision");
  const std::string saved = table.save();
  auto again = crowdsec::read_reply(saved, kNow);
  STREAMD_CHECK(again.has_value(), "what was saved can be read");
  crowdsec::DecisionTable copy;
  copy.replace(std::move(*again));
  STREAMD_CHECK(copy.save() == saved, "a copy is the same");
  return 0;
}
