// SPDX-License-Identifier: Apache-2.0
// Look-ups of a block of questions. Each step is done for all of them, and fetches what the next
// one reads.
#include "engine/match/domain_labels.h"
#include "engine/match/indicator_list.h"

#include <algorithm>

namespace streamd {
namespace {

using Hit = IndicatorList::Hit;
using Is = Question::Kind;

// Of the questions of a block.
struct Chosen {
  std::uint8_t which[kLookupBlock];
  std::size_t count = 0;
  void add(std::size_t i) { which[count++] = static_cast<std::uint8_t>(i); }
};

}  // namespace

// A key that is looked for in a table of texts.
struct IndicatorList::Probe {
  std::uint64_t hash;
  std::string_view key;
  std::uint32_t text;
  std::uint8_t question;
};

void IndicatorList::find_v4(const std::uint32_t* addresses, std::size_t count, EventTime now,
                            Hit* hits) const {
  v4_.find(addresses, count, hits);
  if (now.micros < all_live_until_) return;
  for (std::size_t i = 0; i < count; ++i) __builtin_prefetch(&entries_[hits[i]]);
  for (std::size_t i = 0; i < count; ++i) hits[i] = alive(hits[i], now);
}

void IndicatorList::alive(EventTime now, Hit* hits, const std::uint8_t* which,
                          std::size_t count) const {
  if (now.micros < all_live_until_) return;
  for (std::size_t i = 0; i < count; ++i) __builtin_prefetch(&entries_[hits[which[i]]]);
  for (std::size_t i = 0; i < count; ++i) hits[which[i]] = alive(hits[which[i]], now);
}

void IndicatorList::find(const Question* asked, std::size_t count, EventTime now, Hit* hits) const {
  std::fill_n(hits, count, 0);
  if (!(v4_.empty() && v6_.empty())) find_addresses(asked, count, now, hits);
  if (!domains_.empty()) find_domains(asked, count, now, hits);
  if (!texts_.empty()) find_texts(asked, count, now, hits);
}

void IndicatorList::find_addresses(const Question* asked, std::size_t count, EventTime now,
                                   Hit* hits) const {
  Chosen v4, v6;
  std::uint32_t v4_bits[kLookupBlock], found[kLookupBlock];
  Uint128 v6_bits[kLookupBlock];
  for (std::size_t i = 0; i < count; ++i) {
    const Question& question = asked[i];
    if (question.kind == Is::v4) {
      v4_bits[v4.count] = question.v4;
      v4.add(i);
    } else if (question.kind == Is::v6) {
      v6_bits[v6.count] = question.bits;
      v6.add(i);
    } else if (question.kind == Is::network) {
      hits[i] = find(IpNetwork{{question.v6, question.bits}, question.prefix}, now);
    }
  }
  if (v4.count > 0 && !v4_.empty()) {
    v4_.find(v4_bits, v4.count, found);
    for (std::size_t i = 0; i < v4.count; ++i) hits[v4.which[i]] = found[i];
    alive(now, hits, v4.which, v4.count);
  }
  if (v6.count > 0 && !v6_.empty()) {
    v6_.find(v6_bits, v6.count, found);
    for (std::size_t i = 0; i < v6.count; ++i) hits[v6.which[i]] = found[i];
    alive(now, hits, v6.which, v6.count);
  }
}

// What a probe of a table of texts reads next is fetched.
void IndicatorList::look_for(Probe& probe, const TextTable& table) const {
  probe.text = table.candidate(probe.hash);
  if (probe.text == TextTable::kLookOn)
    table.prefetch_behind(probe.hash);
  else
    __builtin_prefetch(text_.data() + probe.text);
}

void IndicatorList::find_domains(const Question* asked, std::size_t count, EventTime now,
                                 Hit* hits) const {
  constexpr std::size_t kMostProbes = 128, kMostOfOne = 32;
  DomainLabels labels(seed_);
  Probe probes[kMostProbes];
  std::uint8_t candidates[kMostProbes];
  Chosen open;
  for (std::size_t i = 0; i < count; ++i) {
    if (hits[i] != 0 || asked[i].text.empty()) continue;
    __builtin_prefetch(asked[i].text.data());
    open.add(i);
  }
  for (std::size_t next = 0; next < open.count;) {
    std::size_t probing = 0;
    for (; next < open.count && probing + kMostOfOne <= kMostProbes; ++next) {
      const std::uint8_t i = open.which[next];
      const std::string_view key = trimmed_domain(asked[i].text);
      if (!labels.read(key)) continue;
      const std::size_t first = probing;
      labels.ends(label_counts_, [&](std::uint64_t hash, std::size_t size) {
        if (probing == kMostProbes) return;
        domains_.prefetch(hash);
        probes[probing++] = {hash, key.substr(key.size() - size), 0, i};
      });
      // Names with more labels than any domain has to be believed are looked up one by one.
      if (probing == kMostProbes && probing - first > kMostOfOne)
        hits[i] = find_domain(asked[i].text);
    }
    std::size_t found = 0;
    for (std::size_t p = 0; p < probing; ++p) {
      look_for(probes[p], domains_);
      candidates[found] = static_cast<std::uint8_t>(p);
      found += probes[p].text != 0 ? 1 : 0;
    }
    // From the back: longer ends stand behind shorter ones.
    while (found-- > 0) {
      const Probe& probe = probes[candidates[found]];
      Hit& hit = hits[probe.question];
      if (hit != 0) continue;
      if (probe.text != TextTable::kLookOn &&
          equals_lowered(trimmed_domain(text_at(probe.text)), probe.key))
        hit = entry_at(probe.text);
      else
        hit = domain_of(probe.hash, probe.key);
    }
  }
  alive(now, hits, open.which, open.count);
}

void IndicatorList::find_texts(const Question* asked, std::size_t count, EventTime now,
                               Hit* hits) const {
  Chosen open;
  Probe probes[kLookupBlock];
  std::uint8_t candidates[kLookupBlock];
  for (std::size_t i = 0; i < count; ++i) {
    if (hits[i] != 0 || asked[i].text.empty()) continue;
    __builtin_prefetch(asked[i].text.data());
    open.add(i);
  }
  for (std::size_t p = 0; p < open.count; ++p) {
    const std::string_view text = asked[open.which[p]].text;
    probes[p] = {hash_bytes(text, seed_), text, 0, open.which[p]};
    texts_.prefetch(probes[p].hash);
  }
  std::size_t found = 0;
  for (std::size_t p = 0; p < open.count; ++p) {
    look_for(probes[p], texts_);
    candidates[found] = static_cast<std::uint8_t>(p);
    found += probes[p].text != 0 ? 1 : 0;
  }
  for (std::size_t c = 0; c < found; ++c) {
    const Probe& probe = probes[candidates[c]];
    if (probe.text != TextTable::kLookOn && text_at(probe.text) == probe.key)
      hits[probe.question] = entry_at(probe.text);
    else
      hits[probe.question] = text_of(probe.hash, probe.key);
  }
  alive(now, hits, open.which, open.count);
}

}  // namespace streamd
