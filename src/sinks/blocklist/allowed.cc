// SPDX-License-Identifier: Apache-2.0
#include "sinks/blocklist/allowed.h"

#include "engine/match/indicator_list.h"

#include <algorithm>
#include <utility>

namespace streamd::blocklist {
namespace {

// Ended entries cost a step at each look into their network, until they are left out.
constexpr std::size_t kMostEnded = 1000;

bool lies_in(const IpAddress& address, const IpNetwork& network) {
  if (address.v6 != network.first.v6) return false;
  const unsigned free = network.first.width() - network.prefix;
  const Uint128 bits = free >= 128 ? 0 : address.bits >> free << free;
  return bits == network.first.bits;
}

}  // namespace

Allowed::Allowed(const std::vector<std::shared_ptr<const ListSlot>>& slots) {
  for (const auto& slot : slots) lists_.push_back({slot, {}, {}, 0});
}

void Allowed::look() {
  for (List& list : lists_) {
    const ListView before = std::exchange(list.view, list.slot->take());
    const bool is_new = before.list != list.view.list || list.view.now < before.now;
    if (is_new) ++version_;
    if (is_new || list.ended > kMostEnded) put_in_order(list);
  }
}

void Allowed::put_in_order(List& list) {
  list.networks.clear();
  list.ended = 0;
  if (!list.view.list) return;
  const IndicatorList& all = *list.view.list;
  for (auto hit = all.after(0, list.view.now); hit != 0; hit = all.after(hit, list.view.now))
    if (const auto network = parse_network(all.at(hit).value)) list.networks.push_back(*network);
  std::sort(list.networks.begin(), list.networks.end(), Order());
}

bool Allowed::says(const IpNetwork& network) {
  return std::any_of(lists_.begin(), lists_.end(), [&](List& list) {
    if (!list.view.list) return false;
    if (list.view.list->find(network, list.view.now) != 0) return true;
    return network.prefix < network.first.width() && holds_one(list, network);
  });
}

bool Allowed::holds_one(List& list, const IpNetwork& network) {
  // Wider ones with the same first address stand before it.
  auto at = std::lower_bound(list.networks.begin(), list.networks.end(), network, Order());
  for (; at != list.networks.end() && lies_in(at->first, network); ++at) {
    if (list.view.list->find(*at, list.view.now) != 0) return true;
    ++list.ended;
  }
  return false;
}

}  // namespace streamd::blocklist
