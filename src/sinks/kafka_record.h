// SPDX-License-Identifier: Apache-2.0
// What a record becomes at the kafka sink: topic, key and value. No client; the sink's and its
// rendering's. Private to the sink.
#pragma once

#include "engine/api/emitter.h"
#include "engine/api/rendering.h"
#include "engine/codec/encode.h"
#include "engine/expr/template.h"
#include "engine/io/kafka/producer.h"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace streamd {

// Const, shared by the workers.
struct KafkaShape {
  expr::BoundTemplate topic;
  std::string fixed_topic;  // empty: `topic` is rendered for each record
  std::optional<expr::BoundTemplate> key;
  std::optional<expr::BoundTemplate> message;
  std::shared_ptr<const JsonEncoder> json;
};

// The record at hand. One thread; buffers are reused.
class KafkaRecord {
 public:
  // `max_bytes`: of key and value together.
  KafkaRecord(KafkaShape shape, std::size_t max_bytes)
      : shape_(std::move(shape)), max_bytes_(max_bytes), topic_(shape_.fixed_topic) {}

  // A fault: it can't be written; its texts are valid until the next call.
  std::optional<Fault> fill(const Batch& batch, std::size_t i);

  bool has_fixed_topic() const { return !shape_.fixed_topic.empty(); }
  const std::string& topic() const { return topic_; }
  const std::optional<std::string>& key() const { return key_; }
  const std::string& value() const { return value_; }
  bool value_is_json() const { return !shape_.message; }

 private:
  const KafkaShape shape_;
  const std::size_t max_bytes_;
  std::string topic_, value_, why_;
  std::optional<std::string> key_;
};

inline constexpr std::array<SentField, 3> kKafkaSent = {
    {{"topic", "where it goes"},
     {"key", "where there is one"},
     {"value", "as JSON, or the text of `message`"}}};
std::unique_ptr<Rendering> kafka_rendering(KafkaShape shape, const kafka::ProducerOptions& options);

}  // namespace streamd
