// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/error_map.h"

#include <fmt/format.h>

#include <cctype>
#include <string_view>

namespace streamd::kafka {
namespace {

const char* hint_for(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      return "check sasl.mechanism, sasl.username and sasl.password in options";
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return "give the user the right in the cluster's access list";
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      return "set message.max.bytes in options to the topic's limit: longer records become dead "
             "letters";
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
      return "another process runs the same pipeline; only the newest may write";
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
      return "another process uses the same group.instance.id";
    default: return "";
  }
}

}  // namespace

bool is_permanent(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL: return true;
    default: return false;
  }
}

bool is_outage(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR: return true;
    default: return false;
  }
}

std::string describe(rd_kafka_resp_err_t code) {
  std::string_view text = rd_kafka_err2str(code);
  for (const std::string_view prefix : {"Broker: ", "Local: "})
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  std::string out(text);
  if (out.size() > 1 && !std::isupper(static_cast<unsigned char>(out[1])))
    out[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(out[0])));
  return out;
}

Error to_error(rd_kafka_resp_err_t code, const std::string& what, const std::string& detail) {
  Error error;
  error.kind = ErrorKind::external;
  error.retry = is_permanent(code) ? Retry::never : Retry::backoff;
  error.message = fmt::format("{}: {}", what, detail.empty() ? describe(code) : detail);
  error.hint = hint_for(code);
  return error;
}

}  // namespace streamd::kafka
