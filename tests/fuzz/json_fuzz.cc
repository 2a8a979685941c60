// SPDX-License-Identifier: Apache-2.0
// One JSON record: decoded, encoded again (copied and changed), decoded once more. What decoded the
// first time must decode every time, to the same values, and a decoder that has learnt the shape of
// another record must say the same as one that has not.
#include "engine/codec/decode.h"
#include "engine/codec/encode.h"
#include "engine/codec/time_format.h"
#include "engine/core/check.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace {

using streamd::Batch;
using streamd::Decoded;
using streamd::RawBatch;

const std::vector<std::string> kFields = {"a", "b", "a.b", "a.b.c", "status"};

Decoded decode(streamd::Decoder& decoder, std::string_view text) {
  RawBatch in;
  in.records.push_back({text});
  Decoded out;
  decoder.decode(in, out);
  STREAMD_CHECK(out.records.size() + out.bad.size() == 1, "a record gives a row or a reason");
  return out;
}

// With the bytes that the decoder may then read behind the record, and must not take for its own.
Decoded decode_padded(streamd::Decoder& decoder, std::string_view text, std::string& bytes) {
  bytes = std::string(text) + std::string(64, '"');
  RawBatch in;
  in.padding = 64;
  in.records.push_back({std::string_view(bytes).substr(0, text.size())});
  Decoded out;
  decoder.decode(in, out);
  return out;
}

Batch batch_of(const Decoded& decoded, std::string_view text) {
  auto rows = std::make_shared<streamd::Rows>();
  rows->time = {{0}};
  rows->floor = {streamd::EventTime::min()};
  rows->position = {0};
  rows->raw = {decoded.repaired.empty() ? text : decoded.repaired[0].second};
  return Batch(rows, {decoded.columns.begin(), decoded.columns.end()},
               std::make_shared<streamd::Origin>());
}

std::string shown(const streamd::Value& value) {
  std::string out;
  if (!value.is(streamd::Kind::missing)) streamd::append_json(value, out);
  return out;
}

void round_trip(bool repair, std::string_view text) {
  streamd::DecodeConfig config;
  if (repair) config = {streamd::DecodeConfig::Kind::access_log, "json"};
  const auto decoder = streamd::make_decoder(config, kFields);
  const Decoded first = decode(*decoder, text);
  if (first.records.empty()) return;
  const Batch batch = batch_of(first, text);

  streamd::Schema schema;
  schema.open = true;
  for (const auto& field : kFields) schema.fields.push_back({field});
  std::string copy, changed;
  streamd::JsonEncoder(schema).append(batch, 0, copy);
  STREAMD_CHECK(copy.find('\n') == std::string::npos, "one line");
  const Decoded second = decode(*decoder, copy);
  STREAMD_CHECK(second.records.size() == 1, "a copy decodes");
  for (std::size_t c = 0; c < kFields.size(); ++c) {
    STREAMD_CHECK(shown(batch.at(c, 0)) == shown((*second.columns[c])[0]),
                  "and has the same values");
  }

  schema.fields[1].derived = true;
  schema.fields[3].derived = true;
  schema.hidden = {"status", "x.y"};
  streamd::JsonEncoder(schema).append(batch, 0, changed);
  const Decoded third = decode(*decoder, changed);
  STREAMD_CHECK(third.records.size() == 1, "a changed record decodes");
  STREAMD_CHECK((*third.columns[4])[0].is(streamd::Kind::missing), "a hidden field is gone");
  STREAMD_CHECK(shown((*third.columns[1])[0]) == shown(batch.at(1, 0)), "a set field is there");
}

void same(const Decoded& a, const Decoded& b) {
  STREAMD_CHECK(a.records == b.records, "a shape changes nothing about what is refused");
  STREAMD_CHECK(a.repaired.size() == b.repaired.size(), "and about what is repaired");
  for (std::size_t i = 0; i < a.bad.size(); ++i) {
    STREAMD_CHECK(a.bad[i].code == b.bad[i].code && a.bad[i].reason == b.bad[i].reason,
                  "and about the reasons");
  }
  for (std::size_t c = 0; !a.records.empty() && c < kFields.size(); ++c) {
    STREAMD_CHECK((*a.columns[c])[0].kind() == (*b.columns[c])[0].kind(), "and about the kinds");
    STREAMD_CHECK(shown((*a.columns[c])[0]) == shown((*b.columns[c])[0]), "and the values");
  }
}

// Every line is decoded by one decoder for all, and by one for itself.
void shapes(bool repair, std::string_view text) {
  streamd::DecodeConfig config;
  if (repair) config = {streamd::DecodeConfig::Kind::access_log, "json"};
  const auto learning = streamd::make_decoder(config, kFields);
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    std::string bytes;
    const Decoded alone = decode(*streamd::make_decoder(config, kFields), line);
    same(alone, decode(*learning, line));
    same(alone, decode_padded(*learning, line, bytes));
    same(alone, decode(*learning, line));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  round_trip(false, text);
  round_trip(true, text);
  shapes(false, text);
  shapes(true, text);
  for (const char* spec :
       {"unix", "unix_ns", "rfc3339", "clf", "%a %d %b %Y %H:%M:%S.%f %z", "%s"}) {
    const auto format = streamd::TimeFormat::parse(spec);
    STREAMD_CHECK(format.has_value(), "a known format");
    if (const auto time = format->read(streamd::Value::string(text))) {
      std::string written;
      streamd::format_rfc3339(*time, 0, written);
      const auto again = streamd::parse_rfc3339(written);
      STREAMD_CHECK(again && again->time == *time, "a time survives being written");
    }
  }
  return 0;
}
