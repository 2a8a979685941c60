// SPDX-License-Identifier: Apache-2.0
#include "engine/core/check.h"
#include "engine/match/domain_labels.h"
#include "engine/match/indicator_list.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

namespace streamd {
namespace {

constexpr std::size_t kMaxEntries = (std::size_t{1} << 26) - 1;
constexpr std::size_t kMaxInfos = (std::size_t{1} << 24) - 2;
constexpr std::size_t kMaxValue = 4096;
constexpr std::size_t kMaxText = std::numeric_limits<std::uint32_t>::max() - 2 * 65536;
// Of one value. What is beyond adds nothing that anybody would look at.
constexpr unsigned kMaxSame = 32;

constexpr unsigned kV4EntryBits = 26;

// Lays nested ranges side by side. Give them by first address, wider ones first.
template <class Key>
class Nesting {
 public:
  explicit Nesting(std::size_t ranges) {
    segments_.reserve(2 * ranges + 1);
    segments_.add(0, 0);
  }
  // What holds a range that begins here; 0: nothing.
  std::uint32_t around(Key first) {
    while (!open_.empty() && open_.back().last < first) close();
    return open_.empty() ? 0 : open_.back().entry;
  }
  void open(Key first, Key last, std::uint32_t entry) {
    segments_.add(first, entry);
    open_.push_back({last, entry});
  }
  Segments<Key> finish() {
    while (!open_.empty()) close();
    return std::move(segments_);
  }

 private:
  struct Open {
    Key last;
    std::uint32_t entry;
  };
  void close() {
    const Key last = open_.back().last;
    open_.pop_back();
    const Key after = last + 1;  // 0: it was the last address of all
    if (after != 0) segments_.add(after, open_.empty() ? 0 : open_.back().entry);
  }
  Segments<Key> segments_;
  std::vector<Open> open_;
};

// By the upper 38 bits, which are the network; equal ones stay in their order.
void sort_networks(std::vector<std::uint64_t>& items) {
  constexpr std::size_t kFew = 8192;
  if (items.size() < kFew) return std::sort(items.begin(), items.end());
  constexpr unsigned kBits = 10;
  constexpr std::uint64_t kMask = (1u << kBits) - 1;
  std::vector<std::uint64_t> other(items.size());
  std::vector<std::size_t> places(kMask + 1);
  for (unsigned shift = kV4EntryBits; shift < 64; shift += kBits) {
    std::fill(places.begin(), places.end(), 0);
    for (const std::uint64_t item : items) ++places[item >> shift & kMask];
    std::size_t next = 0;
    for (std::size_t& place : places) next += std::exchange(place, next);
    for (const std::uint64_t item : items) other[places[item >> shift & kMask]++] = item;
    items.swap(other);
  }
}

template <class Key>
Key last_of(Key first, unsigned prefix) {
  constexpr unsigned kWidth = sizeof(Key) * 8;
  return prefix == kWidth ? first : first | (~Key{0} >> prefix);
}

// What somebody meant as addresses, though it is none: "192.0.2.1-9", "192.0.2.*", or one with more
// behind it. As a domain or text it would never be found.
bool is_meant_as_addresses(std::string_view value) {
  if (looks_like_address(value)) return true;
  if (value.starts_with('['))
    return parse_network(value.substr(1, value.find(']') - 1)).has_value();
  const std::size_t blank = value.find_first_of(" \t");
  if (blank != std::string_view::npos) return parse_network(value.substr(0, blank)).has_value();
  return value.find_first_not_of("0123456789.-/*") == std::string_view::npos &&
         std::count(value.begin(), value.end(), '.') >= 3;
}

std::string key_of(const IndicatorInfo& info) {
  std::string key;
  for (const auto* text :
       {&info.type, &info.scenario, &info.origin, &info.scope, &info.source, &info.tags}) {
    key += *text;
    key += '\0';
  }
  const auto raw = [&key](const auto& value) {
    key.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  raw(info.score);
  raw(info.has_score);
  raw(info.first_seen);
  raw(info.last_seen);
  return key;
}

}  // namespace

IndicatorListBuilder::IndicatorListBuilder(std::uint64_t hash_seed)
    : list_(std::make_shared<IndicatorList>()) {
  list_->seed_ = hash_seed;
  info_numbers_.emplace(key_of({}), 0);
}

void IndicatorListBuilder::reserve(std::size_t entries, std::size_t text_bytes) {
  list_->entries_.reserve(std::min(entries, kMaxEntries) + 1);
  constexpr std::size_t kBeside = 2 * IndicatorList::kTextHead;  // with what is left free
  list_->text_.reserve(std::min(text_bytes + entries * kBeside, kMaxText));
}

std::uint32_t IndicatorListBuilder::info(const IndicatorInfo& info) {
  auto& infos = list_->infos_;
  if (infos.size() >= kMaxInfos) return 0;
  const auto [at, is_new] =
      info_numbers_.emplace(key_of(info), static_cast<std::uint32_t>(infos.size()));
  if (is_new) infos.push_back(info);
  return at->second;
}

std::string_view IndicatorListBuilder::add(const New& entry) {
  if (entry.value.empty()) return "is empty";
  if (entry.value.size() > kMaxValue) return "is longer than 4096 bytes";
  if (list_->entries_.size() > kMaxEntries || list_->text_.size() > kMaxText)
    return "is too many: a list holds 67 million entries and 4 GiB of text";
  if (entry.kind == IndicatorKind::automatic || entry.kind == IndicatorKind::address) {
    if (const auto network = parse_network(entry.value)) return add_network(*network, entry);
    if (entry.kind == IndicatorKind::address || is_meant_as_addresses(entry.value))
      return "is no address or network";
  }
  const std::string_view key = domain_key(entry.value);
  const bool domain = is_domain(key);
  if (entry.kind == IndicatorKind::domain && !domain) return "is no domain";
  const bool dotted = key.find('.') != std::string_view::npos;
  if (entry.kind == IndicatorKind::domain ||
      (entry.kind == IndicatorKind::automatic && domain && dotted))
    domains_.push_back(append_text(entry));
  else
    texts_.push_back(append_text(entry));
  return {};
}

std::string_view IndicatorListBuilder::add_network(const IpNetwork& network, const New& entry) {
  const std::uint32_t number = append(entry, network.prefix);
  if (network.first.v6)
    v6_.push_back({network.first.bits, network.prefix, number});
  else
    v4_.push_back(static_cast<std::uint64_t>(network.first.bits) << 32 |
                  std::uint64_t{network.prefix} << kV4EntryBits | number);
  return {};
}

std::uint32_t IndicatorListBuilder::append(const New& from, unsigned prefix) {
  Entry entry;
  entry.text = static_cast<std::uint32_t>(list_->text_.size());
  entry.size = static_cast<std::uint16_t>(from.value.size());
  entry.comment = static_cast<std::uint16_t>(std::min<std::size_t>(from.comment.size(), 65535));
  entry.info = (from.exception ? IndicatorList::kException : from.info) & 0xFFFFFFu;
  if (from.exception) ++list_->merged_;
  entry.prefix = prefix & 0xFFu;
  entry.expires = from.expires.micros;
  list_->text_.insert(list_->text_.end(), from.value.begin(), from.value.end());
  list_->text_.insert(list_->text_.end(), from.comment.begin(),
                      from.comment.begin() + entry.comment);
  list_->entries_.push_back(entry);
  return static_cast<std::uint32_t>(list_->entries_.size() - 1);
}

// What fits into a cache line does not lie on two.
std::uint32_t IndicatorListBuilder::append_text(const New& entry) {
  constexpr std::size_t kLine = 64;
  auto& text = list_->text_;
  const auto number = static_cast<std::uint32_t>(list_->entries_.size());
  const auto value_size = static_cast<std::uint16_t>(entry.value.size());
  const std::size_t size = IndicatorList::kTextHead + value_size;
  if (size <= kLine && text.size() % kLine + size > kLine)
    text.resize((text.size() + kLine - 1) / kLine * kLine);
  std::array<char, IndicatorList::kTextHead> head;
  std::memcpy(head.data(), &number, sizeof number);
  std::memcpy(head.data() + sizeof number, &value_size, sizeof value_size);
  text.insert(text.end(), head.begin(), head.end());
  return append(entry, 0);
}

std::shared_ptr<const IndicatorList> IndicatorListBuilder::build() {
  STREAMD_CHECK(list_ != nullptr, "a list is built once");
  build_networks();
  build_domains();
  build_texts();
  for (std::size_t hit = 1; hit < list_->entries_.size(); ++hit) {
    const Entry& entry = list_->entries_[hit];
    auto& until = list_->all_live_until_;
    if (entry.info == IndicatorList::kException)
      until = EventTime::min().micros;
    else if (entry.expires != EventTime::min().micros)
      until = std::min(until, entry.expires);
  }
  return std::exchange(list_, nullptr);
}

void IndicatorListBuilder::build_networks() {
  sort_networks(v4_);
  constexpr std::uint64_t kEntryMask = (std::uint64_t{1} << kV4EntryBits) - 1;
  Nesting<std::uint32_t> v4(v4_.size());
  for (std::size_t i = 0; i < v4_.size();) {
    const std::uint64_t network = v4_[i] >> kV4EntryBits;
    const auto head = static_cast<std::uint32_t>(v4_[i] & kEntryMask);
    for (++i; i < v4_.size() && v4_[i] >> kV4EntryBits == network; ++i)
      link_same(head, static_cast<std::uint32_t>(v4_[i] & kEntryMask));
    const auto first = static_cast<std::uint32_t>(network >> 6);
    link_behind(head, v4.around(first));
    v4.open(first, last_of(first, network & 63), head);
  }
  if (!v4_.empty()) list_->v4_.build(v4.finish());
  v4_ = {};

  std::sort(v6_.begin(), v6_.end(), [](const V6Item& a, const V6Item& b) {
    return a.first != b.first ? a.first < b.first
                              : std::pair(a.prefix, a.entry) < std::pair(b.prefix, b.entry);
  });
  Nesting<Uint128> v6(v6_.size());
  for (std::size_t i = 0; i < v6_.size();) {
    const V6Item network = v6_[i];
    for (++i; i < v6_.size() && v6_[i].first == network.first && v6_[i].prefix == network.prefix;
         ++i)
      link_same(network.entry, v6_[i].entry);
    link_behind(network.entry, v6.around(network.first));
    v6.open(network.first, last_of(network.first, network.prefix), network.entry);
  }
  if (!v6_.empty()) list_->v6_.build(v6.finish());
  v6_ = {};
}

bool IndicatorListBuilder::same_payload(const Entry& a, const Entry& b) const {
  const std::string_view text(list_->text_.data(), list_->text_.size());
  return a.info == b.info &&
         text.substr(a.text + a.size, a.comment) == text.substr(b.text + b.size, b.comment);
}

// The first of a value is the one that lives longest, so that one look suffices as long as any
// does.
void IndicatorListBuilder::link_same(std::uint32_t head, std::uint32_t entry) {
  auto& entries = list_->entries_;
  Entry& fresh = entries[entry];
  if (entries[head].info == IndicatorList::kException || fresh.info == IndicatorList::kException)
    return link_exception(head, entry);
  const auto to_front = [&](std::uint32_t at) {
    if (at == head || entries[at].expires <= entries[head].expires) return;
    std::swap(entries[at], entries[head]);
    std::swap(entries[at].next, entries[head].next);
  };
  unsigned count = 0;
  for (std::uint32_t at = head; at != 0; at = entries[at].next, ++count) {
    if (!same_payload(entries[at], fresh) && count < kMaxSame) continue;
    entries[at].expires = std::max(entries[at].expires, fresh.expires);
    fresh.expires = EventTime::min().micros;
    ++list_->merged_;
    to_front(at);
    return;
  }
  fresh.next = entries[head].next;
  entries[head].next = entry;
  to_front(entry);
}

// One of the two is an exception; what is left is the exception alone.
void IndicatorListBuilder::link_exception(std::uint32_t head, std::uint32_t entry) {
  auto& entries = list_->entries_;
  const auto give_up = [&](std::uint32_t at) {
    if (entries[at].info != IndicatorList::kException) ++list_->merged_;
    entries[at].expires = EventTime::min().micros;
  };
  if (entries[head].info == IndicatorList::kException) return give_up(entry);
  std::swap(entries[head], entries[entry]);
  for (std::uint32_t at = entry; at != 0; at = entries[at].next) give_up(at);
}

void IndicatorListBuilder::link_behind(std::uint32_t head, std::uint32_t less_specific) {
  auto& entries = list_->entries_;
  while (entries[head].next != 0) head = entries[head].next;
  entries[head].next = less_specific;
}

void IndicatorListBuilder::build_texts() {
  list_->texts_.reserve(texts_.size());
  for (const std::uint32_t entry : texts_) {
    const std::string_view value = list_->value_of(entry);
    const std::uint64_t hash = hash_bytes(value, list_->seed_);
    if (const auto head = list_->text_of(hash, value); head != 0)
      link_same(head, entry);
    else
      list_->texts_.insert(hash, list_->entries_[entry].text);
  }
}

void IndicatorListBuilder::build_domains() {
  list_->domains_.reserve(domains_.size());
  DomainLabels labels(list_->seed_);
  std::vector<std::uint32_t> heads;
  heads.reserve(domains_.size());
  for (const std::uint32_t entry : domains_) {
    const std::string_view key = domain_key(list_->value_of(entry));
    labels.read(key);
    const std::uint64_t hash = labels.hash();
    if (const auto head = list_->domain_of(hash, key); head != 0) {
      link_same(head, entry);
      continue;
    }
    list_->domains_.insert(hash, list_->entries_[entry].text);
    heads.push_back(entry);
    list_->label_counts_ |= label_count_bit(labels.count());
  }
  for (const std::uint32_t head : heads) {
    const std::string_view key = domain_key(list_->value_of(head));
    labels.read(key);
    IndicatorList::Hit above = 0;
    labels.ends(list_->label_counts_, [&](std::uint64_t hash, std::size_t size) {
      if (size == key.size()) return;
      if (const auto longer = list_->domain_of(hash, key.substr(key.size() - size))) above = longer;
    });
    if (above != 0) link_behind(head, above);
  }
}

}  // namespace streamd
