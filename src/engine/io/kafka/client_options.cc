// SPDX-License-Identifier: Apache-2.0
#include "engine/io/kafka/client_options.h"

#include "engine/api/field_type.h"
#include "engine/io/kafka/conf.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <sstream>
#include <string_view>

namespace streamd::kafka {
namespace {

using Refused = std::vector<std::pair<std::string, std::string>>;

const Refused& refused_by_both() {
  static const Refused list = {
      {"bootstrap.servers", "it is set by brokers"},
      {"metadata.broker.list", "it is set by brokers"},
      {"plugin.library.paths", "it would load foreign code"},
  };
  return list;
}

Refused joined(Refused own) {
  own.insert(own.end(), refused_by_both().begin(), refused_by_both().end());
  return own;
}

// librdkafka lists its properties only as a table for people: the name is a line's first word.
std::vector<std::string> read_names() {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* table = open_memstream(&text, &size);
  if (table == nullptr) return {};
  rd_kafka_conf_properties_show(table);
  std::fclose(table);
  std::vector<std::string> names;
  std::istringstream lines(std::string(text, size));
  std::free(text);
  for (std::string line; std::getline(lines, line);) {
    const auto end = line.find(' ');
    const bool is_name = end != std::string::npos && line.find('|') != std::string::npos &&
                         line.find_first_not_of("abcdefghijklmnopqrstuvwxyz._") == end;
    if (is_name) names.push_back(line.substr(0, end));
  }
  return names;
}

const std::vector<std::string>& known_names() {
  static const std::vector<std::string> names = read_names();
  return names;
}

// Values of allowed properties that take away what streamd promises.
std::string refused_value(Role role, const std::string& name, const std::string& value) {
  if (role == Role::consumer && name == "partition.assignment.strategy" &&
      value.find("cooperative") != std::string::npos)
    return "streamd gives up and takes partitions together; use range or roundrobin";
  if (role == Role::producer && (name == "acks" || name == "request.required.acks") &&
      value != "all" && value != "-1")
    return "a record counts as written when all replicas in sync have it";
  return {};
}

const std::string* reason_of(const Refused& refused, const std::string& name) {
  for (const auto& [key, reason] : refused)
    if (key == name) return &reason;
  return nullptr;
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 && port <= 65535;
}

// host, host:port, [address]:port, also behind PLAINTEXT:// and the like.
bool is_broker(std::string_view text) {
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    std::string name(text.substr(0, scheme));
    for (char& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (name != "PLAINTEXT" && name != "SSL" && name != "SASL_PLAINTEXT" && name != "SASL_SSL")
      return false;
    text.remove_prefix(scheme + 3);
  }
  const auto colon = text.rfind(':');
  const bool one_colon = colon != std::string_view::npos && text.find(':') == colon;
  const bool in_brackets = text.starts_with('[') && colon > 0 && colon != std::string_view::npos &&
                           text[colon - 1] == ']';
  if (one_colon || in_brackets) {
    if (!is_port(text.substr(colon + 1))) return false;
    text = text.substr(0, colon);
  }
  return !text.empty() && text.find_first_of(" \t/\\@") == std::string_view::npos;
}

// One text may name several.
bool are_brokers(std::string_view text) {
  for (;;) {
    const auto comma = std::min(text.find(','), text.size());
    std::string_view one = text.substr(0, comma);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (!is_broker(one)) return false;
    if (comma == text.size()) return true;
    text.remove_prefix(comma + 1);
  }
}

bool read_one(const ConfigNode& key, const ConfigNode& value, Role role, rd_kafka_conf_t* trial,
              Diagnostics& problems) {
  if (const auto* reason = reason_of(refused_properties(role), key.text)) {
    problems.error("refused-property", key.place,
                   fmt::format("\"{}\" can't be set here: {}", key.text, *reason), "remove it");
    return false;
  }
  if (value.shape != ConfigNode::Shape::scalar) {
    report_type(value, "a single value", problems);
    return false;
  }
  if (const auto reason = refused_value(role, key.text, value.text); !reason.empty()) {
    problems.error("refused-property", value.place,
                   fmt::format("\"{}\" can't be set to this value", key.text), reason);
    return false;
  }
  char why[512] = "";
  const auto answer =
      rd_kafka_conf_set(trial, key.text.c_str(), value.text.c_str(), why, sizeof why);
  if (answer == RD_KAFKA_CONF_OK) return true;
  if (answer == RD_KAFKA_CONF_UNKNOWN) {
    const std::string near = closest(key.text, known_names());
    problems.error("unknown-property", key.place,
                   fmt::format("librdkafka has no property \"{}\"", key.text),
                   near.empty() ? std::string{} : fmt::format("did you mean \"{}\"?", near));
    return false;
  }
  problems.error("bad-property", value.place,
                 fmt::format("librdkafka does not accept this value of \"{}\"", key.text),
                 value.substituted ? std::string{} : std::string(why));
  return false;
}

}  // namespace

const std::vector<std::pair<std::string, std::string>>& refused_properties(Role role) {
  static const Refused consumer = joined({
      {"group.id", "it is set by group"},
      {"enable.auto.commit", "offsets are committed with each checkpoint"},
      {"auto.commit.interval.ms", "offsets are committed with each checkpoint"},
      {"enable.auto.offset.store", "offsets are committed with each checkpoint"},
      {"auto.offset.reset", "it is set by from, and a gap must not be skipped silently"},
      {"enable.partition.eof", "streamd must know when a partition has been read to its end"},
  });
  static const Refused producer = joined({
      {"transactional.id", "it is set by exactly_once"},
      {"message.timeout.ms", "a record must not be given up while Kafka is away"},
      {"delivery.timeout.ms", "a record must not be given up while Kafka is away"},
      {"message.send.max.retries", "a record must not be given up while Kafka is away"},
      {"retries", "a record must not be given up while Kafka is away"},
  });
  return role == Role::consumer ? consumer : producer;
}

std::string read_brokers(const std::vector<std::string>& brokers, const ConfigNode& node,
                         Diagnostics& problems) {
  std::string joined;
  for (std::size_t i = 0; i < brokers.size(); ++i) {
    joined += (i > 0 ? "," : "") + brokers[i];
    if (are_brokers(brokers[i])) continue;
    const ConfigNode& at = node.shape == ConfigNode::Shape::list ? node.items[i] : node;
    problems.error("bad-broker", at.place,
                   at.substituted
                       ? "not the host:port of a broker"
                       : fmt::format("\"{}\" is not the host:port of a broker", brokers[i]),
                   "write it without http://, for example localhost:9092; ports go up to 65535");
  }
  return joined;
}

std::int64_t millis_of(const ClientOptions& options, std::string_view property,
                       std::int64_t otherwise) {
  for (const auto& [name, value] : options.properties)
    if (name == property) std::from_chars(value.data(), value.data() + value.size(), otherwise);
  return otherwise;
}

bool may_fetch_directly(const ClientOptions& options) {
  static const std::set<std::string_view> of_membership = {
      "client.id",
      "coordinator.query.interval.ms",
      "group.instance.id",
      "heartbeat.interval.ms",
      "max.poll.interval.ms",
      "metadata.max.age.ms",
      "partition.assignment.strategy",
      "reconnect.backoff.max.ms",
      "reconnect.backoff.ms",
      "session.timeout.ms",
      "topic.metadata.refresh.interval.ms",
  };
  return std::all_of(options.properties.begin(), options.properties.end(),
                     [](const auto& property) { return of_membership.contains(property.first); });
}

bool read_properties(const ConfigNode& node, Role role, ClientOptions& into,
                     Diagnostics& problems) {
  if (node.shape == ConfigNode::Shape::null) return true;
  if (node.shape != ConfigNode::Shape::map) {
    report_type(node, "a map of librdkafka properties", problems);
    return false;
  }
  const Conf trial(rd_kafka_conf_new());
  bool good = true;
  for (const auto& [key, value] : node.entries) {
    if (read_one(key, value, role, trial.get(), problems))
      into.properties.emplace_back(key.text, value.text);
    else
      good = false;
  }
  return good;
}

}  // namespace streamd::kafka
