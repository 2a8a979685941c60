// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/encode.h"
#include "engine/codec/value_text.h"

namespace streamd {
namespace {

// Puts quotes around what was appended from `begin` on, where it needs them.
void quote_cell(std::string& out, std::size_t begin) {
  if (out.find_first_of(",\"\r\n", begin) == std::string::npos) return;
  std::string cell = out.substr(begin);
  out.resize(begin);
  out += '"';
  for (const char c : cell) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace

CsvEncoder::CsvEncoder(const Schema& schema, TimeStyle style) : style_(style) {
  for (const Field& field : schema.fields) names_.push_back(field.name);
}

void CsvEncoder::header(std::string& out) const {
  for (std::size_t c = 0; c < names_.size(); ++c) {
    if (c > 0) out += ',';
    const std::size_t begin = out.size();
    out += names_[c];
    quote_cell(out, begin);
  }
}

void CsvEncoder::append(const Batch& batch, std::size_t i, std::string& out) const {
  for (std::size_t c = 0; c < names_.size(); ++c) {
    if (c > 0) out += ',';
    const Value& value = batch.at(c, i);
    if (value.is(Kind::string) && value.size() == 0) {
      out += "\"\"";
      continue;
    }
    const std::size_t begin = out.size();
    append_text(value, out, style_);
    quote_cell(out, begin);
    // A row without a sign is none to those who read it.
    if (names_.size() == 1 && out.size() == begin) out += "\"\"";
  }
}

}  // namespace streamd
