// SPDX-License-Identifier: Apache-2.0
// librdkafka's error codes as streamd's errors. Included only in this folder.
#pragma once

#include "engine/core/error.h"

#include <librdkafka/rdkafka.h>

#include <string>

namespace streamd::kafka {

// Nothing that time alone repairs: wrong credentials, missing rights, a fenced or fatally broken
// client.
bool is_permanent(rd_kafka_resp_err_t code);
// The broker or the network does not answer.
bool is_outage(rd_kafka_resp_err_t code);

// `what` is the sentence's beginning: "reading topic \"clicks\"".
Error to_error(rd_kafka_resp_err_t code, const std::string& what, const std::string& detail = {});

// librdkafka's text without capitals and "Broker: " in front.
std::string describe(rd_kafka_resp_err_t code);

}  // namespace streamd::kafka
