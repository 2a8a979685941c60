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
  std::uint32_t entry;
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

void IndicatorList::find_domains(const Question* asked, std::size_t count, EventTime now,
                                 Hit* hits) const {
  constexpr std::size_t kTogether = 16, kMostProbes = 64;
  DomainLabels labels[kTogether];
  Probe probes[kMostProbes];
  Chosen done;
  for (std::size_t begin = 0; begin < count;) {
    std::size_t used = 0, probing = 0;
    for (; begin < count && used < kTogether && probing + 32 <= kMostProbes; ++begin) {
      const Question& question = asked[begin];
      if (hits[begin] != 0 || question.text.empty()) continue;
      DomainLabels& cut = labels[used];
      if (!cut.read(domain_key(question.text))) continue;
      ++used;
      done.add(begin);
      for (std::size_t left = cut.count(); left > 0; --left) {
        if ((label_counts_ & label_count_bit(left)) == 0) continue;
        // Names with more labels than any domain has to be believed are looked up one by one.
        if (probing == kMostProbes) {
          hits[begin] = find_domain(question.text);
          break;
        }
        Probe& probe = probes[probing++];
        probe = {hash_bytes(cut.last(left), seed_), cut.last(left), 0,
                 static_cast<std::uint8_t>(begin)};
        domains_.prefetch(probe.hash);
      }
    }
    for (std::size_t p = 0; p < probing; ++p) {
      probes[p].entry = domains_.candidate(probes[p].hash);
      if (probes[p].entry != 0) __builtin_prefetch(&entries_[probes[p].entry]);
    }
    for (std::size_t p = 0; p < probing; ++p)
      if (probes[p].entry != 0) __builtin_prefetch(text_.data() + entries_[probes[p].entry].text);
    for (std::size_t p = 0; p < probing; ++p) {
      const Probe& probe = probes[p];
      if (probe.entry == 0 || hits[probe.question] != 0) continue;
      const auto same = [&](std::uint32_t entry) {
        return equals_lowered(domain_key(value_of(entry)), probe.key);
      };
      hits[probe.question] = same(probe.entry) ? probe.entry : domains_.find(probe.hash, same);
    }
  }
  alive(now, hits, done.which, done.count);
}

void IndicatorList::find_texts(const Question* asked, std::size_t count, EventTime now,
                               Hit* hits) const {
  Chosen those;
  Probe probes[kLookupBlock];
  for (std::size_t i = 0; i < count; ++i) {
    if (hits[i] != 0 || asked[i].text.empty()) continue;
    Probe& probe = probes[those.count];
    probe = {hash_bytes(asked[i].text, seed_), asked[i].text, 0, static_cast<std::uint8_t>(i)};
    those.add(i);
    texts_.prefetch(probe.hash);
  }
  for (std::size_t p = 0; p < those.count; ++p) {
    probes[p].entry = texts_.candidate(probes[p].hash);
    if (probes[p].entry != 0) __builtin_prefetch(&entries_[probes[p].entry]);
  }
  for (std::size_t p = 0; p < those.count; ++p)
    if (probes[p].entry != 0) __builtin_prefetch(text_.data() + entries_[probes[p].entry].text);
  for (std::size_t p = 0; p < those.count; ++p) {
    if (probes[p].entry == 0) continue;
    const auto same = [&](std::uint32_t entry) { return value_of(entry) == probes[p].key; };
    hits[probes[p].question] =
        same(probes[p].entry) ? probes[p].entry : texts_.find(probes[p].hash, same);
  }
  alive(now, hits, those.which, those.count);
}

}  // namespace streamd
