// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/decode.h"
#include "operators/parse/format.h"

#include <utility>

namespace streamd::parse {
namespace {

// The decoder of sources, on the texts of a field: the same checks, and only the fields asked for.
class JsonReader final : public Reader {
 public:
  explicit JsonReader(const std::vector<std::string>& paths)
      : whole_(paths.empty()), decoder_(make_decoder({}, paths)) {}

  void read(const std::vector<TextRow>& texts, Cells& cells,
            std::vector<Failure>& failures) override {
    raw_.clear();
    for (const TextRow& text : texts) raw_.records.push_back({.data = text.text});
    decoder_->decode(raw_, decoded_);
    for (std::size_t r = 0; r < decoded_.records.size(); ++r) {
      const TextRow& text = texts[decoded_.records[r]];
      if (whole_) {
        cells.columns[0][text.row] = Value::json(text.text);
        continue;
      }
      for (std::size_t f = 0; f < decoded_.columns.size(); ++f)
        cells.columns[f][text.row] = (*decoded_.columns[f])[r];
    }
    for (auto& bad : decoded_.bad) failures.push_back({bad.record, std::move(bad.reason)});
    cells.owners.push_back(decoded_.arena);
  }

 private:
  const bool whole_;
  const std::unique_ptr<Decoder> decoder_;
  RawBatch raw_;
  Decoded decoded_;
};

class JsonFormat final : public Format {
 public:
  explicit JsonFormat(const Config& config) : paths_(config.fields) {
    for (const std::string& path : paths_) fields_.push_back({path, Type::any});
    if (paths_.empty()) fields_.push_back({"", Type::json});
  }
  std::unique_ptr<Reader> reader() const override { return std::make_unique<JsonReader>(paths_); }

 private:
  const std::vector<std::string> paths_;
};

}  // namespace

std::unique_ptr<Format> make_json_format(const Config& config) {
  return std::make_unique<JsonFormat>(config);
}

}  // namespace streamd::parse
