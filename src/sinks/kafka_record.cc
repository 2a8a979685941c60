// SPDX-License-Identifier: Apache-2.0
#include "sinks/kafka_record.h"

#include "engine/io/kafka/position.h"

#include <fmt/format.h>

#include <charconv>

namespace streamd {
namespace {

// librdkafka's default of message.max.bytes.
constexpr std::size_t kMaxBytes = 1'000'000;

std::size_t max_bytes_of(const kafka::ProducerOptions& options) {
  std::size_t bytes = kMaxBytes;
  for (const auto& [name, value] : options.client.properties)
    if (name == "message.max.bytes")
      std::from_chars(value.data(), value.data() + value.size(), bytes);
  return bytes;
}

class KafkaRendering final : public Rendering {
 public:
  explicit KafkaRendering(KafkaRecord record) : record_(std::move(record)) {}
  std::optional<Fault> render(const Batch& batch, std::size_t i, Sent& sent) override {
    if (const auto fault = record_.fill(batch, i)) return fault;
    sent.text("topic", record_.topic());
    if (record_.key()) sent.text("key", *record_.key());
    if (record_.value_is_json())
      sent.json("value", record_.value());
    else
      sent.text("value", record_.value());
    return std::nullopt;
  }

 private:
  KafkaRecord record_;
};

}  // namespace

std::optional<Fault> KafkaRecord::fill(const Batch& batch, std::size_t i) {
  if (!has_fixed_topic()) {
    topic_.clear();
    if (!shape_.topic.render(batch, i, topic_, &why_)) return Fault{"template", why_};
    if (!kafka::is_topic_name(topic_)) {
      why_ = fmt::format("\"{}\" is not a topic name", topic_);
      return Fault{"bad-topic", why_};
    }
  }
  if (shape_.key) {
    key_.emplace();
    if (!shape_.key->render(batch, i, *key_, &why_)) return Fault{"template", why_};
  }
  value_.clear();
  if (!shape_.message)
    shape_.json->append(batch, i, value_);
  else if (!shape_.message->render(batch, i, value_, &why_))
    return Fault{"template", why_};
  const std::size_t size = value_.size() + (key_ ? key_->size() : 0);
  if (size <= max_bytes_) return std::nullopt;
  why_ = fmt::format("{} bytes are more than message.max.bytes ({})", size, max_bytes_);
  return Fault{"too-large", why_};
}

std::unique_ptr<Rendering> kafka_rendering(KafkaShape shape,
                                           const kafka::ProducerOptions& options) {
  return std::make_unique<KafkaRendering>(KafkaRecord(std::move(shape), max_bytes_of(options)));
}

}  // namespace streamd
