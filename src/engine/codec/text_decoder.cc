// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/decoders.h"
#include "engine/codec/utf8.h"

#include <fmt/format.h>

#include <limits>

namespace streamd {
namespace {

class TextDecoder final : public Decoder {
 public:
  explicit TextDecoder(std::vector<std::string> fields) : fields_(std::move(fields)) {}

  void decode(const RawBatch& in, Decoded& out) override {
    prepare(in, fields_.size(), out);
    for (std::uint32_t r = 0; r < in.records.size(); ++r) {
      if (!to_decode(in.records[r])) continue;
      const std::string_view text = in.records[r].data;
      if (text.size() > std::numeric_limits<std::uint32_t>::max()) {
        out.bad.push_back({r, "too-long", fmt::format("{} bytes are too many", text.size())});
      } else if (!is_utf8(text)) {
        out.bad.push_back(
            {r, "bad-utf8", fmt::format("no UTF-8 at byte {}", valid_utf8_prefix(text))});
      } else {
        for (std::size_t i = 0; i < fields_.size(); ++i) {
          if (fields_[i] == "message") (*out.columns[i])[out.records.size()] = Value::string(text);
        }
        out.records.push_back(r);
      }
    }
    finish(out);
  }

 private:
  std::vector<std::string> fields_;
};

}  // namespace

std::unique_ptr<Decoder> make_text_decoder(std::vector<std::string> fields) {
  return std::make_unique<TextDecoder>(std::move(fields));
}

}  // namespace streamd
