// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/conf.h"

#include "engine/io/kafka/error_map.h"

#include <fmt/format.h>

namespace streamd::kafka {
namespace {

// What matters reaches the log through error events and probes; librdkafka's own lines repeat it
// once per broker and connection attempt.
void drop_log(const rd_kafka_t*, int, const char*, const char*) {}

Status set(rd_kafka_conf_t* conf, std::string_view name, const std::string& value) {
  char why[512];
  if (rd_kafka_conf_set(conf, std::string(name).c_str(), value.c_str(), why, sizeof why) ==
      RD_KAFKA_CONF_OK)
    return {};
  return fail(ErrorKind::config, fmt::format("librdkafka refuses {}: {}", name, why));
}

}  // namespace

Result<Conf> make_conf(const ClientOptions& options, const Settings& settings) {
  Conf conf(rd_kafka_conf_new());
  rd_kafka_conf_set_log_cb(conf.get(), drop_log);
  const Settings own = {
      {"bootstrap.servers", options.brokers},         {"client.id", "streamd"},
      {"reconnect.backoff.max.ms", "2000"},           {"socket.keepalive.enable", "true"},
      {"topic.metadata.refresh.interval.ms", "5000"}, {"log.connection.close", "false"},
  };
  for (const auto& [name, value] : own) STREAMD_TRY(set(conf.get(), name, value));
  for (const auto& [name, value] : settings) STREAMD_TRY(set(conf.get(), name, value));
  for (const auto& [name, value] : options.properties) STREAMD_TRY(set(conf.get(), name, value));
  return conf;
}

Result<std::shared_ptr<Client>> Client::make(rd_kafka_type_t type, Conf conf) {
  char why[512];
  rd_kafka_t* rk = rd_kafka_new(type, conf.get(), why, sizeof why);
  if (rk == nullptr)
    return fail(ErrorKind::config, fmt::format("the Kafka client cannot be made: {}", why),
                "check the properties in options");
  static_cast<void>(conf.release());  // owned by the client now
  return std::shared_ptr<Client>(new Client(rk));
}

Client::~Client() { rd_kafka_destroy_flags(rk_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE); }

rd_kafka_resp_err_t ask_metadata(rd_kafka_t* rk, int limit_ms) {
  const rd_kafka_metadata_t* answer = nullptr;
  const auto code = rd_kafka_metadata(rk, 0, nullptr, &answer, limit_ms);
  const MetadataPtr owned(answer);
  return code;
}

Result<int> partition_count(rd_kafka_t* rk, const std::string& topic, int limit_ms) {
  const std::unique_ptr<rd_kafka_topic_t, Destroy<rd_kafka_topic_destroy>> handle(
      rd_kafka_topic_new(rk, topic.c_str(), nullptr));
  const rd_kafka_metadata_t* answer = nullptr;
  const auto code = rd_kafka_metadata(rk, 0, handle.get(), &answer, limit_ms);
  const MetadataPtr metadata(answer);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return tl::unexpected(to_error(code, fmt::format("asking for topic \"{}\"", topic)));
  int count = 0;
  auto why = RD_KAFKA_RESP_ERR_NO_ERROR;
  for (int t = 0; t < metadata->topic_cnt; ++t)
    if (topic == metadata->topics[t].topic) {
      why = metadata->topics[t].err;
      count = metadata->topics[t].partition_cnt;
    }
  if (is_permanent(why)) return tl::unexpected(to_error(why, fmt::format("topic \"{}\"", topic)));
  return why == RD_KAFKA_RESP_ERR_NO_ERROR ? count : 0;
}

}  // namespace streamd::kafka
