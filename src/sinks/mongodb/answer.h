// SPDX-License-Identifier: Apache-2.0
// What the words of a MongoDB server mean for delivery. Pure functions.
// https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
#pragma once

#include "engine/io/delivery/destination.h"
#include "engine/io/mongo/client.h"

#include <cstddef>
#include <string>

namespace streamd::mongodb {

inline constexpr int kDuplicateKey = 11000;

// A call that failed as a whole, for `count` documents.
delivery::Answer answer_of(const mongo::Failure& failure, std::size_t count);

// What became of `count` documents that were written to `space` ("database.collection"). When what
// was written and what failed do not make `count`, nobody knows: they go in halves.
delivery::Answer answer_of(const mongo::Outcome& outcome, std::size_t count, mongo::Write how,
                           const std::string& space);

// True when a duplicate key error says that it is about _id in this collection: an earlier try has
// stored the same document. False also when it does not say.
bool is_about_id(const mongo::WriteError& error, const std::string& space);

// True for an index that this server does not know how to make: NotImplemented and its kin.
bool is_unsupported(const mongo::Failure& failure);

}  // namespace streamd::mongodb
