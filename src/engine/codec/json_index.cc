// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/json_index.h"

#include "engine/codec/utf8.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

namespace streamd {
namespace {

// Why the first stage refused the strings, found again slowly.
std::string string_trouble(std::string_view text) {
  std::size_t open = 0;
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      ++i;
    } else if (c == '"') {
      inside = !inside;
      open = i;
    } else if (inside && static_cast<unsigned char>(c) < 0x20) {
      return fmt::format("control character 0x{:02x} in a string at byte {}",
                         static_cast<unsigned>(static_cast<unsigned char>(c)), i);
    }
  }
  return fmt::format("the string that begins at byte {} has no end", open);
}

}  // namespace

struct JsonIndex::Parser {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
};

JsonIndex::JsonIndex() : parser_(std::make_unique<Parser>()) {}
JsonIndex::~JsonIndex() = default;

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

bool JsonIndex::refuse(std::string_view code, std::string reason) {
  code_ = code;
  reason_ = std::move(reason);
  return false;
}

bool JsonIndex::grow(std::size_t size) {
  const std::size_t wanted = std::max<std::size_t>(size * 2, 64 * 1024);
  if (parser_->stage == nullptr) {
    const simdjson::implementation& cpu = *simdjson::get_active_implementation();
    if (cpu.create_dom_parser_implementation(wanted, 1024, parser_->stage) != simdjson::SUCCESS) {
      return false;
    }
  } else if (parser_->stage->allocate(wanted, 1024) != simdjson::SUCCESS) {
    return false;
  }
  capacity_ = wanted;
  return true;
}

bool JsonIndex::build(std::string_view text) {
  if (text.empty()) return refuse("empty", "the record is empty");
  if (text.size() >= simdjson::SIMDJSON_MAXSIZE_BYTES / 4 ||
      (text.size() > capacity_ && !grow(text.size()))) {
    return refuse("too-long", fmt::format("{} bytes are too many for one record", text.size()));
  }
  auto& stage = *parser_->stage;
  const auto error = stage.stage1(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                                  simdjson::stage1_mode::regular);
  if (error == simdjson::SUCCESS) [[likely]] {
    count_ = stage.n_structural_indexes;
    stage.structural_indexes[count_] = static_cast<std::uint32_t>(text.size());
    tokens_ = stage.structural_indexes.get();
    return true;
  }
  if (error == simdjson::UTF8_ERROR) {
    return refuse("bad-utf8", fmt::format("no UTF-8 at byte {}", valid_utf8_prefix(text)));
  }
  if (error == simdjson::EMPTY) return refuse("empty", "the record holds only white space");
  return refuse("bad-json", string_trouble(text));
}

}  // namespace streamd
