// SPDX-License-Identifier: Apache-2.0
// The loader of list crowdsec: asks the local API for what has changed, and for everything first,
// after any failure and once an hour, because a reply that was lost is not sent again.
#pragma once

#include "engine/api/list.h"
#include "lists/crowdsec_decisions.h"

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

namespace streamd::crowdsec {

struct Answer {
  int status = 0;
  std::string body;
};
// GET below the API's URL; `target`: "v1/decisions/stream?startup=true&scopes=ip,range".
using Ask = std::function<Result<Answer>(const std::string& target, std::stop_token stop)>;

struct LoaderSettings {
  Filter filter;  // scopes are asked for; origins and types are looked at here
  Duration resync = Duration::from_seconds(3600);
};

std::unique_ptr<ListLoader> make_loader(LoaderSettings settings, Ask ask, ListContext context);

}  // namespace streamd::crowdsec
