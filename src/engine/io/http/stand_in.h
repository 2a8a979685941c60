// SPDX-License-Identifier: Apache-2.0
// The client of a source that a StandIn may answer (engine/api/stand_in.h). One that polls hands
// its Fetcher to open_feed(), which then calls it without a thread.
#pragma once

#include "engine/api/source.h"
#include "engine/api/stand_in.h"
#include "engine/io/http/config.h"

#include <memory>
#include <string>

namespace streamd::http {

// A real client; in a test one that asks the StandIn in `context.shared` in the name of
// `context.node`. Redirects are not followed there. A stream stays open behind its body until the
// StandIn says that it is closed; whenever the clock has moved a line end comes, as from a server
// that shows that it is there.
Result<std::unique_ptr<Client>> client_for(const HttpConfig& config, const SourceContext& context);

// What the StandIn answers to a request of the node's. Error: as a real client's when nobody
// answers.
Result<Response> ask_stand_in(const StandIn& stand_in, const std::string& node,
                              const Request& request, EventTime now);

}  // namespace streamd::http
