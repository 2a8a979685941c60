// SPDX-License-Identifier: Apache-2.0
#include "engine/match/list_slot.h"

#include "engine/match/indicator_list.h"

#include <charconv>

namespace streamd {
namespace {

template <class Integer>
IndicatorList::Hit find_number(const ListView& view, Integer number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  const std::string_view text(digits, static_cast<std::size_t>(end - digits));
  return view.list->find(text, view.now);
}

}  // namespace

IndicatorList::Hit ListView::find(const Value& value) const {
  if (!list) return 0;
  switch (value.kind()) {
    case Kind::string: return list->find(value.text(), now);
    case Kind::ip: {
      const auto address = address_of(value.text());
      return address ? list->find(*address, now) : 0;
    }
    case Kind::cidr: {
      const auto network = network_of(value.text());
      return network ? list->find(*network, now) : 0;
    }
    case Kind::int64: return find_number(*this, value.as_int());
    case Kind::uint64: return find_number(*this, value.as_uint());
    default: return 0;
  }
}

}  // namespace streamd
