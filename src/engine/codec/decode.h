// SPDX-License-Identifier: Apache-2.0
// Decoding: raw records of a source into columns, only the fields that the plan asked for.
//
// JSON: a top-level object per record, checked completely (RFC 8259) even where no field is taken.
// Of two equal keys the last one counts. A path "a.b" is the key "a.b" if the object has it,
// otherwise key "b" of object "a". Integers become int64, uint64 where int64 is too small, double
// beyond; objects and arrays are slices of the text (Kind::json).
#pragma once

#include "engine/api/field_type.h"
#include "engine/api/source.h"
#include "engine/core/arena.h"
#include "engine/core/batch.h"
#include "engine/core/schema.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd {

// decode: json | text | syslog | {syslog: {zone: Europe/Zurich}} |
//         {access_log: combined | common | json | '<nginx log_format string>'}
struct DecodeConfig {
  enum class Kind { json, text, access_log, syslog };
  Kind kind = Kind::json;
  // access_log: combined, common, json, or an nginx log_format string. syslog: the zone of stamps
  // that name none.
  std::string format;
};

template <>
struct FieldType<DecodeConfig> {
  static bool read(const ConfigNode& node, DecodeConfig& into, Diagnostics& problems);
  static std::string name();
  static std::string json_schema();
  static std::string show(const DecodeConfig& value);
};

// The fields that the decoder can give. json, and access_log: json: open without columns. text:
// closed, `message`. syslog: closed, see syslog_fields.h; host,
// app, procid, msgid and peer are null where a message has none. Other access logs: closed, typed
// columns named like nginx variables.
Schema decoded_schema(const DecodeConfig& config);

// Reused between batches: decode() clears it first. What the values point to is kept alive by
// RawBatch::buffer and `arena`.
struct Decoded {
  struct Bad {
    std::uint32_t record;   // index into RawBatch::records
    std::string_view code;  // bad-json, bad-utf8, too-long, bad-line, empty
    std::string reason;     // what and, where known, at which byte (from 0)
  };
  std::vector<std::uint32_t> records;            // for each row: index into RawBatch::records
  std::vector<std::shared_ptr<Column>> columns;  // in the order of `fields`
  std::shared_ptr<Arena> arena;                  // unescaped and repaired strings
  std::vector<Bad> bad;
  // Rows whose bytes had to be repaired (access_log: json with broken UTF-8): row, and the text to
  // use as the record's raw bytes instead of the source's. Ascending; almost always empty.
  std::vector<std::pair<std::uint32_t, std::string_view>> repaired;
};

// One per worker and source; keeps its buffers and what it learned about the order of keys.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // Every record gives a row or an entry in `bad`; records with a fault and tombstones give
  // neither.
  virtual void decode(const RawBatch& in, Decoded& out) = 0;
};

// fields: dotted paths; a field the decoder does not know gives a column of missing values.
// The config has passed FieldType<DecodeConfig>::read.
std::unique_ptr<Decoder> make_decoder(const DecodeConfig& config, std::vector<std::string> fields);

}  // namespace streamd
