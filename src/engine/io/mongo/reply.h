// SPDX-License-Identifier: Apache-2.0
// libmongoc's errors and replies as plain data. Private to this folder.
#pragma once

#include "engine/io/mongo/client.h"

#include <mongoc/mongoc.h>

namespace streamd::mongo {

// Error API version 2.
Failure failure_of(const bson_error_t& error, const Uri& uri);

// What a bulk said; failed: it was not a success, for the reason `error`.
Outcome outcome_of(bool failed, const bson_t& reply, const bson_error_t& error, const Uri& uri);

}  // namespace streamd::mongo
