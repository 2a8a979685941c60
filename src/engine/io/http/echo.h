// SPDX-License-Identifier: Apache-2.0
// What an answer repeats of a request. Error pages of servers and proxies like to show the address
// and the headers that they were sent; what was told in confidence must not reach a log by that
// way. The client hides it in answers that are errors or HTML; who shows something of others does.
#pragma once

#include "engine/io/http/client.h"

#include <string>

namespace streamd::http {

// Puts *** in place of what `text` holds of the request's credentials: the values of its own
// headers, user and password, and long parts of its path and query. Short ones are words. Those of
// the proxy that it went through, if one is given, too.
void hide_echo(const Request& request, const Url* proxy, std::string& text);

}  // namespace streamd::http
