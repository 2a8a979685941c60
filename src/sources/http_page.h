// SPDX-License-Identifier: Apache-2.0
// What one answer of the http source holds: its records, and where the next page is. Pure; safe on
// any bytes. Private to the source.
#pragma once

#include "engine/api/source.h"
#include "engine/core/error.h"
#include "sources/http_config.h"

#include <optional>
#include <string>
#include <string_view>

namespace streamd {

// The records of a body: buffer and padding are set, positions are 0. Error (data): it is not what
// `format` says; retried.
Result<RawBatch> read_page(std::string body, const HttpSourceConfig& config, EventTime arrival);

// The cursor at `path`; nullopt: there is none, this was the last page.
std::optional<std::string> next_cursor(std::string_view body, std::string_view path);

// The first target of a Link header (RFC 8288) whose relations hold "next"; nullopt: none.
std::optional<std::string> next_link(std::string_view header);

}  // namespace streamd
