// SPDX-License-Identifier: Apache-2.0
// Encoding: values and records as JSON and CSV text. Encoders are const once made: any thread, or
// shared by several.
#pragma once

#include "engine/core/batch.h"
#include "engine/core/schema.h"
#include "engine/core/value.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

enum class TimeStyle : std::uint8_t { rfc3339, unix };

// Appends one JSON value. Timestamps: text in RFC 3339, or a number of seconds. Doubles keep a
// point or exponent (2.0), so that readers see the same type every time; NaN and infinity: null.
// Durations: text in seconds ("1.5s"). Bytes: base64 text. IPs and CIDRs: their usual text. Slices
// of JSON are copied, without line breaks. Not for missing values (inside lists they give null).
void append_json(const Value& value, std::string& out, TimeStyle style = TimeStyle::rfc3339);
// "text" with quotes and escapes.
void append_json_string(std::string_view text, std::string& out);

// Records of one schema as JSON objects, each on one line.
//
// Raw bytes that are the record are copied. An open record with derived or hidden fields is walked
// once: members that are neither are copied byte by byte, then the derived columns follow; a
// dotted field that the raw bytes hold inside an object is replaced or left out there. Closed:
// the columns in order. Missing values are left out everywhere.
class JsonEncoder {
 public:
  explicit JsonEncoder(const Schema& schema, TimeStyle style = TimeStyle::rfc3339);
  // Appends the object of row i, without line end.
  void append(const Batch& batch, std::size_t i, std::string& out) const;

 private:
  struct Member {
    std::size_t column;
    std::string prefix;  // "name":
  };
  // written: per member whether it already stands inside an object; null: none does.
  void append_members(const Batch& batch, std::size_t i, const char* written, bool first,
                      std::string& out) const;
  void append_changed(const Batch& batch, std::size_t i, std::string& out) const;

  TimeStyle style_;
  bool copy_raw_ = false;
  bool open_ = false;
  bool dotted_ = false;          // some path of drops_ has a dot
  std::vector<Member> members_;  // columns to write: derived ones (open), all (closed)
  std::vector<std::string>
      drops_;  // open: paths not to copy; the first members_.size() are derived
};

// RFC 4180: the columns of the schema. Missing and null are empty, empty text is "". Objects and
// lists are written as JSON text.
class CsvEncoder {
 public:
  explicit CsvEncoder(const Schema& schema, TimeStyle style = TimeStyle::rfc3339);
  void header(std::string& out) const;  // names, without line end
  void append(const Batch& batch, std::size_t i, std::string& out) const;  // without line end

 private:
  TimeStyle style_;
  std::vector<std::string> names_;
};

}  // namespace streamd
