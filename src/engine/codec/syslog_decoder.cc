// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/decoders.h"
#include "engine/codec/syslog_fields.h"
#include "engine/codec/utf8.h"

#include <fmt/format.h>

#include <limits>

namespace streamd {
namespace {

class SyslogDecoder final : public Decoder {
 public:
  SyslogDecoder(const std::string& zone, const std::vector<std::string>& fields)
      : parser_(zone), width_(fields.size()) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (const auto field = syslog_field_of(fields[i]))
        wanted_.push_back({*field, i, is_null_without(*field)});
    }
  }

  void decode(const RawBatch& in, Decoded& out) override {
    prepare(in, width_, out);
    for (std::uint32_t r = 0; r < in.records.size(); ++r) {
      const RawRecord& record = in.records[r];
      if (!to_decode(record)) continue;
      if (record.data.size() > std::numeric_limits<std::uint32_t>::max()) {
        out.bad.push_back(
            {r, "too-long", fmt::format("{} bytes are too many", record.data.size())});
        continue;
      }
      parser_.parse(record.data, record.arrival, message_);
      if (!is_utf8(record.data)) message_.flags |= kSyslogBadUtf8;
      for (const Wanted& wanted : wanted_) {
        const Value value = values_.of(wanted.field, message_, record.arrival, *out.arena);
        const bool null = wanted.or_null && value.is(Kind::missing);
        (*out.columns[wanted.column])[out.records.size()] = null ? Value::null() : value;
      }
      out.records.push_back(r);
    }
    finish(out);
  }

 private:
  struct Wanted {
    SyslogField field;
    std::size_t column;
    bool or_null;
  };

  SyslogParser parser_;
  SyslogValues values_;
  SyslogMessage message_;
  std::vector<Wanted> wanted_;
  std::size_t width_;
};

}  // namespace

std::unique_ptr<Decoder> make_syslog_decoder(const std::string& zone,
                                             std::vector<std::string> fields) {
  return std::make_unique<SyslogDecoder>(zone, fields);
}

}  // namespace streamd
