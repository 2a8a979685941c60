// SPDX-License-Identifier: Apache-2.0
#include "sources/builtin_sources.h"

namespace streamd {

void add_builtin_sources(Registry& registry) {
  add_file_source(registry);
  add_stdin_source(registry);
  add_generate_source(registry);
  add_http_source(registry);
  add_kafka_source(registry);
  add_shodan_source(registry);
  add_syslog_source(registry);
}

}  // namespace streamd
