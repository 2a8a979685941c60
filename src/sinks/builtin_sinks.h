// SPDX-License-Identifier: Apache-2.0
// The sinks that are part of the binary. Each is declared in its own file; this lists them.
#pragma once

#include "engine/api/registry.h"

namespace streamd {

void add_blocklist_sink(Registry& registry);
void add_discord_sink(Registry& registry);
void add_elasticsearch_sink(Registry& registry);
void add_file_sink(Registry& registry);
void add_http_sink(Registry& registry);
void add_mongodb_sink(Registry& registry);
void add_stdout_sink(Registry& registry);
void add_syslog_sink(Registry& registry);
void add_null_sink(Registry& registry);
void add_kafka_sink(Registry& registry);

// All of them.
void add_builtin_sinks(Registry& registry);

}  // namespace streamd
