// SPDX-License-Identifier: Apache-2.0
// Kind http: GET a URL made of the record, read JSON. Private to the folder.
#pragma once

#include "engine/expr/template.h"
#include "enrich/config.h"
#include "enrich/protocol.h"

#include <memory>
#include <string>
#include <vector>

namespace streamd::enrich {

// Reports what is wrong with `url`.
void check_http(const Config& config, const ConfigNode& node, Diagnostics& problems);

// url: the template, bound to the records that come. The config was checked.
std::unique_ptr<Protocol> make_http_protocol(const Config& config, expr::BoundTemplate url);

// The values at dotted paths of an answer's JSON; lists and maps as JSON. nothing for an empty
// text, null, {} and []; refused for what is no JSON. Safe on any bytes.
void read_json_answer(const http::Response& response, const std::vector<std::string>& paths,
                      Question& question);

}  // namespace streamd::enrich
