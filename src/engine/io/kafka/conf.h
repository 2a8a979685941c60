// SPDX-License-Identifier: Apache-2.0
// Ownership of librdkafka's objects, and the settings every client of streamd has. Included only in
// this folder.
#pragma once

#include "engine/core/error.h"
#include "engine/io/kafka/client_options.h"

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd::kafka {

template <auto destroy>
struct Destroy {
  template <class T>
  void operator()(T* object) const {
    destroy(object);
  }
};
using Conf = std::unique_ptr<rd_kafka_conf_t, Destroy<rd_kafka_conf_destroy>>;
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                      Destroy<rd_kafka_topic_partition_list_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Destroy<rd_kafka_queue_destroy>>;
using MessagePtr = std::unique_ptr<rd_kafka_message_t, Destroy<rd_kafka_message_destroy>>;
using EventPtr = std::unique_ptr<rd_kafka_event_t, Destroy<rd_kafka_event_destroy>>;
using ErrorPtr = std::unique_ptr<rd_kafka_error_t, Destroy<rd_kafka_error_destroy>>;
using MetadataPtr = std::unique_ptr<const rd_kafka_metadata_t, Destroy<rd_kafka_metadata_destroy>>;
using GroupMetadata = std::unique_ptr<rd_kafka_consumer_group_metadata_t,
                                      Destroy<rd_kafka_consumer_group_metadata_destroy>>;

inline PartitionList new_list(int size = 8) {
  return PartitionList(rd_kafka_topic_partition_list_new(size));
}
inline void add(const PartitionList& list, const std::string& topic, std::int32_t partition,
                std::int64_t offset) {
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
}

using Settings = std::vector<std::pair<std::string_view, std::string>>;

// streamd's settings, then the caller's, then the user's properties.
Result<Conf> make_conf(const ClientOptions& options, const Settings& settings);

// A client; destroying it ends its threads. Consumers must have been closed.
class Client {
 public:
  static Result<std::shared_ptr<Client>> make(rd_kafka_type_t type, Conf conf);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  rd_kafka_t* get() const { return rk_; }

 private:
  explicit Client(rd_kafka_t* rk) : rk_(rk) {}
  rd_kafka_t* rk_;
};

// Whether any broker answers a metadata request within the limit; the reason otherwise.
rd_kafka_resp_err_t ask_metadata(rd_kafka_t* rk, int limit_ms);

// Number of partitions, 0 when the topic does not exist. An Error with Retry::backoff when no
// broker answered within the limit.
Result<int> partition_count(rd_kafka_t* rk, const std::string& topic, int limit_ms);

}  // namespace streamd::kafka
