// SPDX-License-Identifier: Apache-2.0
// What an answer repeats of a request. Error pages of servers and proxies like to show the address
// and the headers that they were sent; what was told in confidence must not reach a log by that
// way. The client hides it in answers that are errors or HTML; who shows something of others, as an
// answer that was meant to be data may be anything, takes it from without_echo().
#pragma once

#include "engine/io/http/client.h"

#include <string>
#include <vector>

namespace streamd::http {

// A request's credentials as an answer may repeat them, the longest first: the values of its own
// headers and of its query's parameters, user and password, and long parts of its path. Short ones
// are words. Those of the proxy that it went through, if one is given, too.
std::vector<std::string> secrets_of(const Request& request, const Url* proxy);

// The body with *** in place of what it holds of the secrets: all that may go into an error.
std::string without_echo(const Response& response);

// Puts *** in place of what `text` holds of the secrets of the request.
void hide_echo(const Request& request, const Url* proxy, std::string& text);

}  // namespace streamd::http
