// SPDX-License-Identifier: Apache-2.0
// What an HTTP response, or its absence, means for delivery: the part that all services share.
#pragma once

#include "engine/io/delivery/destination.h"
#include "engine/io/http/client.h"
#include "engine/io/http/excerpt.h"

#include <optional>
#include <string>
#include <string_view>

namespace streamd {

// No response. What time may heal is tried again; a bad certificate waits for a person.
delivery::Answer no_response(const Error& error);

// For a status that means the same everywhere: 408, 425, 429 and 5xx go again (after Retry-After),
// 413 is split, 401 and 403 wait for a person. nullopt: the service's own page decides.
// words: what the service said, for people.
std::optional<delivery::Answer> usual_answer(const http::Response& response,
                                             const std::string& words);

// All of `count` items with the same verdict.
delivery::Answer refuse_each(std::size_t count, std::string code, std::string reason);

}  // namespace streamd
