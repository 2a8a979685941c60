// SPDX-License-Identifier: Apache-2.0
// What operators mean for single values. Both ways of evaluation, a record or a column at a time,
// end here. Arguments are never missing or errors unless said so; results may be errors.
#pragma once

#include "engine/core/value.h"
#include "engine/expr/node.h"

#include <cstdint>
#include <string_view>

namespace streamd::expr {

// Text in the arena.
Value failure(Context& context, std::string_view text);
Value no_overload(Context& context, Op op, const Value& a, const Value& b);
Value no_overload(Context& context, std::string_view function, const Value* args, std::size_t n);
Value too_costly();

// add … mod.
Value arithmetic(Context& context, Op op, const Value& a, const Value& b);
Value negated(Context& context, const Value& a);
// eq … ge.
Value compared(Context& context, Op op, const Value& a, const Value& b);
Value contained(Context& context, const Value& element, const Value& container);
// Truth of Op::in_list: whether one of the node's lists has the element. Kinds that no indicator
// has give an error, made by in_lists() only.
std::uint8_t list_truth(const Context& context, const Node& node, const Value& element);
Value in_lists(Context& context, const Node& node, const Value& element);
Value indexed(Context& context, const Value& container, const Value& key);
Value selected(Context& context, const Value& container, std::string_view name);
// True when the map has the key. An error when the container is no map.
Value has_key(Context& context, const Value& container, std::string_view name);
// From settled keys and values; they are copied into the arena.
Value make_map(Context& context, const Value* pairs, std::uint32_t count);

// Truth of a comparison (kFalse, kTrue, kFailed) without making a reason.
std::uint8_t compare_truth(Context& context, Op op, const Value& a, const Value& b);
// Never fails, except when opening JSON: false then.
bool equal(Context& context, const Value& a, const Value& b);

// A json value as list or map; any other value as it is. Broken text gives an error.
Value opened(Context& context, const Value& value);

inline bool numeric(Kind k) { return k == Kind::int64 || k == Kind::float64 || k == Kind::uint64; }

}  // namespace streamd::expr
