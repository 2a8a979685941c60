// SPDX-License-Identifier: Apache-2.0
#include "engine/watch/tap_filter.h"

#include <set>
#include <utility>

namespace streamd {
namespace {

ExprText text_of(const std::string& condition) {
  ExprText text;
  text.text = condition;
  text.where.shape = ConfigNode::Shape::scalar;
  text.where.text = condition;
  text.where.place = {0, 1, 1, 1};
  text.where.runs = {{0, 1, 1}};
  return text;
}

// A column holds `path` or what it lies in, or the record has it no more.
bool is_known(const std::string& path, const Schema& schema) {
  for (std::size_t end = path.find('.');; end = path.find('.', end + 1)) {
    const std::string part = path.substr(0, end);
    if (schema.find(part) || schema.is_hidden(part)) return true;
    if (end == std::string::npos) return false;
  }
}

}  // namespace

std::optional<TapFilter> TapFilter::make(const std::string& condition, const Schema& schema,
                                         Diagnostics& problems) {
  const auto parsed = expr::Expression::parse(text_of(condition), problems);
  if (!parsed) return std::nullopt;
  std::set<std::string> wanted;
  parsed->fields(wanted);
  Schema with_raw = schema;
  std::vector<std::string> raw;
  for (const auto& path : wanted) {
    if (!schema.open || is_known(path, schema)) continue;
    raw.push_back(path);
    with_raw.fields.push_back({path, Type::any, false});
  }
  auto program = parsed->bind(with_raw, problems);
  if (!program) return std::nullopt;
  TapFilter filter;
  filter.program_ = std::move(*program);
  filter.raw_fields_ = raw.size();
  if (!raw.empty()) filter.decoder_ = make_decoder(DecodeConfig{}, std::move(raw));
  return filter;
}

Batch TapFilter::with_raw_fields(const Batch& in) {
  RawBatch raw;
  for (std::size_t i = 0; i < in.size(); ++i) raw.records.push_back({in.raw(i), in.position(i)});
  decoder_->decode(raw, decoded_);
  auto columns = in.columns();
  for (std::size_t f = 0; f < raw_fields_; ++f) {
    auto column = std::make_shared<Column>(in.physical_rows());
    for (std::size_t r = 0; r < decoded_.records.size(); ++r)
      (*column)[in.physical(decoded_.records[r])] = (*decoded_.columns[f])[r];
    columns.push_back(std::move(column));
  }
  Batch out = in.with_columns(std::move(columns));
  out.keep(decoded_.arena);
  return out;
}

void TapFilter::select(const Batch& in, std::vector<std::uint32_t>& kept) {
  Arena arena;
  program_.select(decoder_ ? with_raw_fields(in) : in, arena, kept, failures_);
  if (failed_ == 0 && !failures_.empty()) first_failure_ = failures_.front().reason;
  failed_ += failures_.size();
}

}  // namespace streamd
