// SPDX-License-Identifier: Apache-2.0
// The bulk protocol of Elasticsearch and OpenSearch: lines out, verdicts in. Pure functions.
// https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
#pragma once

#include "engine/io/delivery/destination.h"

#include <span>
#include <string>
#include <string_view>

namespace streamd::elasticsearch {

enum class Action { create, index };

// Where an item goes, as it lies in Item::route.
struct Route {
  std::string_view index, routing;
};
void append_route(const Route& route, std::string& out);
Route read_route(std::string_view text);

// 1 to 255 bytes, lower case, none of \ / * ? " < > | , # : and blanks, not ".", "..", and not
// beginning with - _ +.
bool is_index_name(std::string_view name);

// The action line and the document of each item.
std::string request_body(std::span<const delivery::Item> items, Action action);

// What a response of status 200 says about each of `count` items. One that is no answer to this
// request (other number of items, no JSON, HTML) is "again": nobody knows what was stored.
// ordered: later documents replace earlier ones, so where one has to go again, all do.
delivery::Answer read_answer(std::string_view body, std::size_t count, Action action,
                             bool ordered = false);

// {"error": {"type": …, "reason": …}} as text; what it begins with when it is something else.
std::string error_text(std::string_view body);

}  // namespace streamd::elasticsearch
