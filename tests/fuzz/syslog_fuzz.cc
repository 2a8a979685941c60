// SPDX-License-Identifier: Apache-2.0
// Syslog messages: the parser, its structured data and the decoder. The first byte chooses the time
// of arrival.
#include "engine/codec/decode.h"
#include "engine/codec/encode.h"
#include "engine/codec/syslog_message.h"
#include "engine/codec/utf8.h"
#include "engine/core/check.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace streamd;

void inside(std::string_view part, std::string_view text) {
  STREAMD_CHECK(part.empty() || (part.data() >= text.data() &&
                                 part.data() + part.size() <= text.data() + text.size()),
                "parts point into the message");
}

void parse(std::string_view text, EventTime arrival, const char* zone) {
  SyslogParser parser(zone);
  SyslogMessage m;
  parser.parse(text, arrival, m);
  for (const std::string_view part :
       {m.peer, m.host, m.app, m.procid, m.msgid, m.structured_data, m.message})
    inside(part, text);
  STREAMD_CHECK(m.facility < 24 && m.severity < 8, "a priority is one of 192");
  STREAMD_CHECK(m.nanos < 1000, "nanoseconds are inside the microsecond");
  std::string plain;
  for (SyslogParams params(m.structured_data);;) {
    SyslogParam param;
    if (!params.next(param)) break;
    inside(param.id, m.structured_data);
    inside(param.name, m.structured_data);
    inside(param.value, m.structured_data);
    plain.resize(param.value.size());
    STREAMD_CHECK(unescape_syslog(param.value, plain.data()) <= param.value.size(), "it shrinks");
  }
  SyslogMessage again;
  parser.parse(text, arrival, again);
  STREAMD_CHECK(again.message == m.message && again.flags == m.flags && again.time == m.time,
                "a parser does not remember");
}

void decode(std::string_view text, EventTime arrival) {
  const DecodeConfig config{DecodeConfig::Kind::syslog, "Europe/Zurich"};
  const Schema schema = decoded_schema(config);
  std::vector<std::string> fields;
  for (const auto& field : schema.fields) fields.push_back(field.name);
  RawBatch in;
  in.records = {{text, 0, arrival}, {text.substr(text.size() / 2), 1, arrival}};
  Decoded out;
  make_decoder(config, fields)->decode(in, out);
  STREAMD_CHECK(out.records.size() == 2 && out.bad.empty(), "nothing is refused");
  std::string json;
  for (std::size_t c = 0; c < fields.size(); ++c) {
    for (const Value& value : *out.columns[c]) {
      STREAMD_CHECK(value.absent() || type_of(value.kind()) == schema.fields[c].type, "its type");
      if (value.is(Kind::string) || value.is(Kind::json))
        STREAMD_CHECK(is_utf8(value.text()), "text is UTF-8");
      if (!value.is(Kind::missing)) append_json(value, json);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  const EventTime arrival{std::int64_t{data[0]} * 400 * 86'400'000'000};
  parse(text, arrival, "UTC");
  parse(text, arrival, "Europe/Zurich");
  decode(text, arrival);
  return 0;
}
