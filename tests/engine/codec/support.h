// SPDX-License-Identifier: Apache-2.0
// One record through a decoder, and values as short text.
#pragma once

#include "engine/codec/decode.h"
#include "engine/codec/encode.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace streamd::test {

// Keeps what the values point to.
struct One {
  std::shared_ptr<std::string> text;
  Decoded out;
  bool good() const { return out.records.size() == 1 && out.bad.empty(); }
  std::string code() const { return out.bad.empty() ? "" : std::string(out.bad[0].code); }
  std::string reason() const { return out.bad.empty() ? "" : out.bad[0].reason; }
  const Value& at(std::size_t column) const { return out.columns.at(column)->at(0); }
  // kind:value, so that "1" and 1 differ.
  std::string show(std::size_t column) const {
    const Value& v = at(column);
    std::string shown(kind_name(v.kind()));
    if (v.absent()) return shown;
    shown += ':';
    if (v.is(Kind::string) || v.is(Kind::json)) return shown + std::string(v.text());
    append_json(v, shown);
    return shown;
  }
};

inline One decode_one(Decoder& decoder, std::string record) {
  One one{std::make_shared<std::string>(std::move(record)), {}};
  RawBatch in;
  in.records.push_back({*one.text});
  decoder.decode(in, one.out);
  return one;
}

inline One json(std::string record, std::vector<std::string> fields) {
  return decode_one(*make_decoder({}, std::move(fields)), std::move(record));
}

inline One access_log(const std::string& format, std::string line,
                      std::vector<std::string> fields) {
  return decode_one(*make_decoder({DecodeConfig::Kind::access_log, format}, std::move(fields)),
                    std::move(line));
}

}  // namespace streamd::test
