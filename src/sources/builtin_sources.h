// SPDX-License-Identifier: Apache-2.0
// The sources that are part of the binary. Each is declared in its own file; this lists them.
#pragma once

#include "engine/api/registry.h"

namespace streamd {

void add_file_source(Registry& registry);
void add_stdin_source(Registry& registry);
void add_generate_source(Registry& registry);
void add_http_source(Registry& registry);
void add_kafka_source(Registry& registry);
void add_shodan_source(Registry& registry);
void add_syslog_source(Registry& registry);

// All of them.
void add_builtin_sources(Registry& registry);

}  // namespace streamd
