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
  DomainLabels labels(seed_);
  const std::string_view key = trimmed_domain(value);
  Hit hit = 0;
  if (!labels.read(key)) return 0;
  labels.ends(label_counts_, [&](std::uint64_t hash, std::size_t size) {
    if (const Hit longer = domain_of(hash, key.substr(key.size() - size))) hit = longer;
  });
  return hit;
}

IndicatorList::Hit IndicatorList::find_text(std::string_view value) const {
  return text_of(hash_bytes(value, seed_), value);
}

IndicatorList::Hit IndicatorList::domain_of(std::uint64_t hash, std::string_view key) const {
  const std::uint32_t text = domains_.find(hash, [&](std::uint32_t known) {
    return equals_lowered(trimmed_domain(text_at(known)), key);
  });
  return text == 0 ? 0 : entry_at(text);
}

IndicatorList::Hit IndicatorList::text_of(std::uint64_t hash, std::string_view value) const {
  const std::uint32_t text =
      texts_.find(hash, [&](std::uint32_t known) { return text_at(known) == value; });
  return text == 0 ? 0 : entry_at(text);
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
  return text_.size() + entries_.capacity() * sizeof(Entry) +
         infos_.capacity() * sizeof(IndicatorInfo) + v4_.bytes() + v6_.bytes() + domains_.bytes() +
         texts_.bytes();
}

}  // namespace streamd
