// SPDX-License-Identifier: Apache-2.0
// Lines of access logs in every built-in format, and one format string made of the input itself.
#include "engine/codec/decode.h"
#include "engine/codec/encode.h"
#include "engine/codec/utf8.h"
#include "engine/core/check.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace {

void decode(const std::string& format, std::string_view text) {
  const streamd::DecodeConfig config{streamd::DecodeConfig::Kind::access_log, format};
  const streamd::Schema schema = streamd::decoded_schema(config);
  std::vector<std::string> fields;
  for (const auto& field : schema.fields) fields.push_back(field.name);
  streamd::RawBatch in;
  in.records = {{text}, {text.substr(text.size() / 2)}};
  streamd::Decoded out;
  streamd::make_decoder(config, fields)->decode(in, out);
  STREAMD_CHECK(out.records.size() + out.bad.size() == 2, "a line gives a row or a reason");
  std::string json;
  for (std::size_t c = 0; c < fields.size(); ++c) {
    STREAMD_CHECK(out.columns[c]->size() == out.records.size(), "columns are as long as rows");
    for (const streamd::Value& value : *out.columns[c]) {
      const streamd::Type type = schema.fields[c].type;
      STREAMD_CHECK(value.absent() || streamd::type_of(value.kind()) == type, "the declared type");
      if (value.is(streamd::Kind::string)) {
        STREAMD_CHECK(streamd::is_utf8(value.text()), "text is UTF-8");
      }
      if (!value.is(streamd::Kind::missing)) streamd::append_json(value, json);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  decode("combined", text);
  decode("common", text);
  decode(
      "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
      "\"$http_referer\" \"$http_user_agent\" $request_time $upstream_response_time",
      text);
  const std::size_t line = text.find('\n');
  streamd::ConfigNode node;
  node.shape = streamd::ConfigNode::Shape::map;
  node.entries.emplace_back(streamd::ConfigNode{}, streamd::ConfigNode{});
  node.entries[0].first.text = "access_log";
  node.entries[0].second.shape = streamd::ConfigNode::Shape::scalar;
  node.entries[0].second.text = text.substr(0, line);
  streamd::DecodeConfig config;
  streamd::Diagnostics problems;
  if (streamd::FieldType<streamd::DecodeConfig>::read(node, config, problems)) {
    STREAMD_CHECK(problems.errors() == 0, "a good format has no problems");
    if (config.format != "json") {
      decode(config.format, line == std::string_view::npos ? text : text.substr(line + 1));
    }
  } else {
    STREAMD_CHECK(problems.errors() > 0, "a bad format is reported");
  }
  return 0;
}
