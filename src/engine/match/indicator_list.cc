// SPDX-License-Identifier: Apache-2.0
#include "engine/match/indicator_list.h"

#include "engine/match/domain_labels.h"

#include <algorithm>

namespace streamd {
IndicatorList::Hit IndicatorList::find(const Question& asked, EventTime now) const {
  Hit hit = 0;
  switch (asked.kind) {
    case Question::Kind::v4: hit = alive(v4_.find(asked.v4), now); break;
    case Question::Kind::v6: hit = alive(v6_.find(asked.bits), now); break;
    case Question::Kind::network:
      hit = find(IpNetwork{{asked.v6, asked.bits}, asked.prefix}, now);
      break;
    default: break;
  }
  if (hit == 0 && !domains_.empty()) hit = alive(find_domain(asked.text), now);
  if (hit == 0 && !texts_.empty()) hit = alive(find_text(asked.text), now);
  return hit;
}

IndicatorList::Hit IndicatorList::find(std::string_view value, EventTime now) const {
  return find(question_of(value), now);
}

IndicatorList::Hit IndicatorList::find(const IpAddress& address, EventTime now) const {
  return alive(
      address.v6 ? v6_.find(address.bits) : v4_.find(static_cast<std::uint32_t>(address.bits)),
      now);
}

IndicatorList::Hit IndicatorList::find(const IpNetwork& network, EventTime now) const {
  Hit hit = find(network.first, now);
  while (hit != 0 && entries_[hit].prefix > network.prefix) hit = next(hit, now);
  return hit;
}

IndicatorList::Hit IndicatorList::find_domain(std::string_view value) const {
  DomainLabels labels;
  if (!labels.read(domain_key(value))) return 0;
  for (std::size_t left = labels.count(); left > 0; --left) {
    if ((label_counts_ & label_count_bit(left)) == 0) continue;
    const std::string_view key = labels.last(left);
    const Hit hit = domains_.find(hash_bytes(key, seed_), [&](std::uint32_t entry) {
      return equals_lowered(domain_key(value_of(entry)), key);
    });
    if (hit != 0) return hit;
  }
  return 0;
}

IndicatorList::Hit IndicatorList::find_text(std::string_view value) const {
  return texts_.find(hash_bytes(value, seed_),
                     [&](std::uint32_t entry) { return value_of(entry) == value; });
}

Indicator IndicatorList::at(Hit hit) const {
  const Entry& entry = entries_[hit];
  return {value_of(hit),
          {text_.data() + entry.text + entry.size, entry.comment},
          &infos_[entry.info],
          {entry.expires}};
}

IndicatorList::Hit IndicatorList::after(Hit hit, EventTime now) const {
  while (++hit < entries_.size())
    if (entries_[hit].expires > now.micros && entries_[hit].info != kException) return hit;
  return 0;
}

std::size_t IndicatorList::live(EventTime now) const {
  return static_cast<std::size_t>(std::count_if(
      entries_.begin() + 1, entries_.end(),
      [&](const Entry& entry) { return entry.expires > now.micros && entry.info != kException; }));
}

std::size_t IndicatorList::bytes() const {
  return text_.capacity() + entries_.capacity() * sizeof(Entry) +
         infos_.capacity() * sizeof(IndicatorInfo) + v4_.bytes() + v6_.bytes() + domains_.bytes() +
         texts_.bytes();
}

}  // namespace streamd
