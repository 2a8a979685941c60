// SPDX-License-Identifier: Apache-2.0
// Settings of the syslog sink. Private to the sink.
#pragma once

#include "engine/api/rendering.h"
#include "engine/io/delivery/delivery_sink.h"
#include "engine/io/http/config.h"
#include "engine/io/net/endpoint.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd::syslog_out {

enum class Format : std::uint8_t { rfc5424, rfc3164 };
enum class Framing : std::uint8_t { counted, lf };

struct Config : delivery::DeliveryConfig {
  net::Endpoint to;
  Format format = Format::rfc5424;
  Framing framing = Framing::counted;
  std::optional<TemplateText> message;
  TemplateText facility{"user", {}};
  TemplateText severity{"notice", {}};
  std::optional<TemplateText> host;
  TemplateText app{"streamd", {}};
  std::optional<TemplateText> procid, msgid;
  std::vector<std::pair<std::string, std::vector<std::string>>> structured_data;
  std::string zone = "UTC";
  Duration timeout = Duration::from_seconds(30);
  Duration connect_timeout = Duration::from_seconds(10);
  http::TlsConfig tls;
};

inline constexpr std::array<SentField, 1> kSent = {
    {{"message", "with its header, without framing"}}};

Spec<Config> spec();

}  // namespace streamd::syslog_out

namespace streamd {

template <>
struct EnumNames<syslog_out::Format> {
  static constexpr std::array<std::pair<syslog_out::Format, std::string_view>, 2> values = {
      {{syslog_out::Format::rfc5424, "rfc5424"}, {syslog_out::Format::rfc3164, "rfc3164"}}};
};
template <>
struct EnumNames<syslog_out::Framing> {
  static constexpr std::array<std::pair<syslog_out::Framing, std::string_view>, 2> values = {
      {{syslog_out::Framing::counted, "octet-counted"}, {syslog_out::Framing::lf, "lf"}}};
};

}  // namespace streamd
