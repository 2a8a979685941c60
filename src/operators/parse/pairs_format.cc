// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/text_pairs.h"
#include "operators/parse/format.h"
#include "operators/parse/pairs.h"

#include <array>
#include <utility>

namespace streamd::parse {
namespace {

constexpr std::array<const char*, 7> kCef = {"cef_version", "vendor", "product", "product_version",
                                             "class_id",    "name",   "severity"};
constexpr std::array<const char*, 5> kLeef = {"leef_version", "vendor", "product",
                                              "product_version", "event_id"};

// What is const and shared.
struct PairsShape {
  FormatKind kind = FormatKind::kv;
  KvFormat kv;
  bool labels = false;
  std::size_t header = 0;         // parts of the header, which are the first fields
  std::vector<std::string> keys;  // the fields behind them; none: one object
  std::size_t fields = 0;
};

class PairsReader final : public RowReader {
 public:
  explicit PairsReader(const PairsShape& shape) : RowReader(shape.fields), shape_(shape) {}

 protected:
  bool read_row(std::string_view text, Arena& arena, Value* values, std::string& why) override {
    pairs_.clear();
    if (!read_pairs(text, arena, why)) return false;
    for (std::size_t p = 0; p < shape_.header; ++p) values[p] = Value::string(header_.part[p]);
    values += shape_.header;
    if (shape_.keys.empty())
      *values = object_of(pairs_, arena);
    else
      pick(pairs_, shape_.keys, values);
    return true;
  }

 private:
  bool read_pairs(std::string_view text, Arena& arena, std::string& why) {
    switch (shape_.kind) {
      case FormatKind::cef: return read_cef(text, shape_.labels, arena, header_, pairs_, why);
      case FormatKind::leef: return read_leef(text, arena, header_, pairs_, why);
      default: return read_kv(text, shape_.kv, arena, pairs_, why);
    }
  }

  const PairsShape& shape_;
  EventHeader header_;
  TextPairs pairs_;
};

class PairsFormat final : public Format {
 public:
  explicit PairsFormat(const Config& config) {
    shape_.kind = config.format;
    shape_.labels = config.labels;
    shape_.keys = config.fields;
    if (!config.separator.empty()) shape_.kv.separator = config.separator;
    shape_.kv.between = config.between;
    shape_.kv.quotes = config.quotes;
    for (const char* name : header_parts(config.format)) fields_.push_back({name, Type::string});
    const char* const object = config.format == FormatKind::cef    ? "extension"
                               : config.format == FormatKind::leef ? "attributes"
                                                                   : "";
    shape_.header = fields_.size();
    for (const std::string& key : config.fields) fields_.push_back({key, Type::string});
    if (config.fields.empty()) fields_.push_back({object, Type::map});
    shape_.fields = fields_.size();
  }
  std::unique_ptr<Reader> reader() const override { return std::make_unique<PairsReader>(shape_); }

 private:
  PairsShape shape_;
};

}  // namespace

std::span<const char* const> header_parts(FormatKind format) {
  if (format == FormatKind::cef) return kCef;
  if (format == FormatKind::leef) return kLeef;
  return {};
}

Value object_of(const TextPairs& pairs, Arena& arena) {
  Value* const items = arena.values(2 * pairs.size());
  std::uint32_t count = 0;
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    bool again = false;
    for (std::size_t later = p + 1; later < pairs.size() && !again; ++later)
      again = pairs[later].key == pairs[p].key;
    if (again) continue;
    items[2 * count] = Value::string(pairs[p].key);
    items[2 * count + 1] = Value::string(pairs[p].value);
    ++count;
  }
  return Value::map(items, count);
}

void pick(const TextPairs& pairs, const std::vector<std::string>& keys, Value* values) {
  std::size_t next = 0;  // keys mostly come in the order of the pairs
  for (const TextPair& pair : pairs)
    for (std::size_t tried = 0; tried < keys.size(); ++tried) {
      const std::size_t k = next;
      next = next + 1 == keys.size() ? 0 : next + 1;
      if (pair.key != keys[k]) continue;
      values[k] = Value::string(pair.value);
      break;
    }
}

std::unique_ptr<Format> make_pairs_format(const Config& config) {
  return std::make_unique<PairsFormat>(config);
}

}  // namespace streamd::parse
