// SPDX-License-Identifier: Apache-2.0
#include "engine/io/mongo/reply.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace streamd::mongo {
namespace {

std::string fields_of(const bson_iter_t& pattern) {
  std::string names;
  bson_iter_t field;
  if (bson_iter_recurse(&pattern, &field))
    while (bson_iter_next(&field))
      names += (names.empty() ? "" : ",") + std::string(bson_iter_key(&field));
  return names;
}

WriteError write_error_of(const bson_iter_t& at, const Uri& uri) {
  WriteError error;
  bson_iter_t member;
  if (!bson_iter_recurse(&at, &member)) return error;
  while (bson_iter_next(&member)) {
    const std::string_view key = bson_iter_key(&member);
    if (key == "index")
      error.index = static_cast<std::size_t>(bson_iter_as_int64(&member));
    else if (key == "code")
      error.code = static_cast<int>(bson_iter_as_int64(&member));
    else if (key == "errmsg" && BSON_ITER_HOLDS_UTF8(&member))
      error.message = without_secrets(bson_iter_utf8(&member, nullptr), uri);
    else if (key == "keyPattern" && BSON_ITER_HOLDS_DOCUMENT(&member))
      error.key_pattern = fields_of(member);
  }
  return error;
}

std::vector<WriteError> errors_of(const bson_t& reply, const char* name, const Uri& uri) {
  std::vector<WriteError> errors;
  bson_iter_t found, item;
  if (bson_iter_init_find(&found, &reply, name) && BSON_ITER_HOLDS_ARRAY(&found) &&
      bson_iter_recurse(&found, &item))
    while (bson_iter_next(&item)) errors.push_back(write_error_of(item, uri));
  return errors;
}

std::size_t count_of(const bson_t& reply, const char* name) {
  bson_iter_t found;
  if (!bson_iter_init_find(&found, &reply, name)) return 0;
  return static_cast<std::size_t>(std::max<std::int64_t>(bson_iter_as_int64(&found), 0));
}

}  // namespace

Failure failure_of(const bson_error_t& error, const Uri& uri) {
  using From = Failure::From;
  Failure failure;
  failure.message = without_secrets(error.message, uri);
  switch (error.domain) {
    case MONGOC_ERROR_SERVER:
    case MONGOC_ERROR_WRITE_CONCERN:
      failure.from = From::server;
      failure.code = static_cast<int>(error.code);
      break;
    case MONGOC_ERROR_SASL:
    case MONGOC_ERROR_SCRAM: failure.from = From::login; break;
    case MONGOC_ERROR_CLIENT:
      failure.from = error.code == MONGOC_ERROR_CLIENT_AUTHENTICATE ? From::login : From::network;
      break;
    case MONGOC_ERROR_BSON:
    case MONGOC_ERROR_COMMAND: failure.from = From::document; break;
    default: break;
  }
  if (failure.message.find("certificate verify failed") != std::string::npos)
    failure.from = From::security;
  return failure;
}

Outcome outcome_of(bool failed, const bson_t& reply, const bson_error_t& error, const Uri& uri) {
  Outcome outcome;
  outcome.errors = errors_of(reply, "writeErrors", uri);
  for (const char* name : {"nInserted", "nMatched", "nUpserted"})
    outcome.written += count_of(reply, name);
  auto concerns = errors_of(reply, "writeConcernErrors", uri);
  if (!concerns.empty()) outcome.unsettled = std::move(concerns.front());
  // A cut connection, for instance, leaves the errors of the part before it in the reply.
  const bool told =
      error.domain == MONGOC_ERROR_SERVER || error.domain == MONGOC_ERROR_WRITE_CONCERN;
  if (failed && (!told || (outcome.errors.empty() && !outcome.unsettled)))
    outcome.failure = failure_of(error, uri);
  return outcome;
}

}  // namespace streamd::mongo
