// SPDX-License-Identifier: Apache-2.0
// bench_latency BROKERS IN OUT RATE SECONDS: sends RATE records per second to a topic, among them
// ten times a second the eleven requests of a new client; afterwards reads what a pipeline has made
// of them and compares the times at which the broker appended the eleventh request and the alert.
// Both topics need message.timestamp.type=LogAppendTime. Prints one line of JSON, in milliseconds.
#include "tests/bench/kafka_client.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;
constexpr int kRequests = 11;
constexpr int kWarmSeconds = 3;

class Feeder {
 public:
  Feeder(const char* brokers, const char* topic)
      : producer_(bench::make_client(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers},
                                                         {"linger.ms", "1"},
                                                         {"acks", "1"},
                                                         {"compression.codec", "lz4"}})),
        topic_(rd_kafka_topic_new(producer_, topic, nullptr)),
        partitions_(bench::partitions_of(producer_, topic)) {
    if (partitions_ == 0) bench::stop("no such topic");
  }

  void run(std::int64_t rate, int seconds) {
    const auto begin = Clock::now();
    const std::int64_t all = rate * seconds, every = rate / 10;
    for (std::int64_t n = 0; n < all; ++n) {
      if (n % (rate / 1000) == 0) {
        std::this_thread::sleep_until(begin + std::chrono::microseconds(n * 1'000'000 / rate));
        rd_kafka_poll(producer_, 0);
      }
      const auto place = static_cast<std::int32_t>(n % partitions_);
      if (n >= kWarmSeconds * rate && n % every == 0) burst(place);
      send(place, "c" + std::to_string(n * 7919 % 1'000'000), false);
    }
    bench::flush(producer_);
  }
  int bursts() const { return bursts_; }

 private:
  void burst(std::int32_t place) {
    const std::string client = "x" + std::to_string(bursts_++);
    for (int i = 1; i <= kRequests; ++i) send(place, client, i == kRequests);
  }
  // The record that crosses has the client as its key, so that it is found again.
  void send(std::int32_t place, const std::string& client, bool crosses) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    char text[256];
    const int size = std::snprintf(
        text, sizeof text,
        "{\"server\":\"s_v1\",\"client_ip\":\"%s\",\"method\":\"GET\",\"status\":\"200\","
        "\"request_time\":\"0.10\",\"host\":\"api_1.example.com\",\"country\":\"US\","
        "\"@timestamp\":\"%ld.%06ld\"}",
        client.c_str(), micros / 1'000'000, micros % 1'000'000);
    bench::produce(producer_, topic_, place, text, static_cast<std::size_t>(size),
                   crosses ? client.data() : nullptr, crosses ? client.size() : 0);
  }

  rd_kafka_t* producer_;
  rd_kafka_topic_t* topic_;
  int partitions_;
  int bursts_ = 0;
};

// Append time of each record with a key.
std::map<std::string, std::int64_t> keyed(const char* brokers, const char* topic) {
  std::map<std::string, std::int64_t> found;
  bench::read_all(brokers, topic, "65536", [&](const rd_kafka_message_t& message) {
    if (message.key_len == 0) return;
    rd_kafka_timestamp_type_t type{};
    const std::int64_t time = rd_kafka_message_timestamp(&message, &type);
    if (type != RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME) bench::stop("the topic has no append times");
    found.emplace(std::string(static_cast<const char*>(message.key), message.key_len), time);
  });
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fputs("usage: bench_latency BROKERS IN OUT RATE SECONDS\n", stderr);
    return 2;
  }
  Feeder feeder(argv[1], argv[2]);
  feeder.run(std::atoll(argv[4]), std::atoi(argv[5]));
  const auto crossed = keyed(argv[1], argv[2]);
  std::map<std::string, std::int64_t> alerts;
  // The last alerts may be on their way.
  for (int tries = 0; tries < 20 && alerts.size() < crossed.size(); ++tries) {
    if (tries > 0) std::this_thread::sleep_for(std::chrono::milliseconds(500));
    alerts = keyed(argv[1], argv[3]);
  }
  std::vector<std::int64_t> late;
  for (const auto& [client, time] : crossed)
    if (const auto alert = alerts.find(client); alert != alerts.end())
      late.push_back(alert->second - time);
  std::sort(late.begin(), late.end());
  if (late.empty()) bench::stop("no alert has come");
  std::printf("{\"crossed\": %zu, \"alerts\": %zu, \"p50\": %ld, \"p99\": %ld, \"max\": %ld}\n",
              crossed.size(), late.size(), late[late.size() / 2], late[late.size() * 99 / 100],
              late.back());
  return 0;
}
