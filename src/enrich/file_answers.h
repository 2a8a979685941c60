// SPDX-License-Identifier: Apache-2.0
// Kinds table and mmdb: a file that is there answers at once. Private to the folder.
#pragma once

#include "engine/api/stand_in.h"
#include "engine/lookup/lookup.h"
#include "enrich/answerer.h"
#include "enrich/config.h"

#include <functional>
#include <memory>
#include <string>

namespace streamd::enrich {

// The file of a node, shared by workers; it is opened by the first who asks.
std::shared_ptr<LookupFile> open_file(const Config& config);

// The same from `content`: JSON objects, one a line, each found under its StandIn::kKey.
std::shared_ptr<LookupFile> stand_in_file(const Config& config, std::string content);

// log: a changed file that can't be read is told there; may be null.
std::unique_ptr<Answerer> make_file_answers(
    std::shared_ptr<LookupFile> file, std::function<void(int level, const std::string& text)> log);

}  // namespace streamd::enrich
