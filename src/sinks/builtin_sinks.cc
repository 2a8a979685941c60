// SPDX-License-Identifier: Apache-2.0
#include "sinks/builtin_sinks.h"

namespace streamd {

void add_builtin_sinks(Registry& registry) {
  add_blocklist_sink(registry);
  add_discord_sink(registry);
  add_elasticsearch_sink(registry);
  add_file_sink(registry);
  add_http_sink(registry);
  add_mongodb_sink(registry);
  add_stdout_sink(registry);
  add_syslog_sink(registry);
  add_null_sink(registry);
  add_kafka_sink(registry);
}

}  // namespace streamd
