// SPDX-License-Identifier: Apache-2.0
#include "enrich/record_key.h"

#include "engine/codec/encode.h"

namespace streamd::enrich {
namespace {

// Stands before what is no text, or looks as if it were none.
constexpr char kMark = '\x01';

const Value kMissing;

void append_marked(const Value& value, std::string& out) {
  out += kMark;
  out += static_cast<char>('a' + static_cast<char>(value.kind()));
  if (value.is(Kind::string))
    out += value.text();
  else if (!value.absent())
    append_json(value, out);
}

bool is_plain(const Value& value) {
  return value.is(Kind::string) && !value.text().starts_with(kMark);
}

}  // namespace

std::optional<std::string_view> RecordKey::of(const Batch& in, std::uint32_t row) {
  const auto value_of = [&](const std::optional<std::size_t>& column) -> const Value& {
    return column ? (*in.column(*column))[row] : kMissing;
  };
  text_.clear();
  if (key_.columns.empty()) return text_;  // a template that reads nothing
  const Value& first = value_of(key_.columns.front());
  if (!key_.of_template) {
    if (first.absent()) return std::nullopt;
    if (first.is(Kind::string)) return first.text();
    append_json(first, text_);
    const std::string_view text = text_;
    // Addresses are written as texts are, in quotes.
    return text.size() >= 2 && text.front() == '"' ? text.substr(1, text.size() - 2) : text;
  }
  if (key_.columns.size() == 1) {
    if (is_plain(first)) return first.text();
    // It would print as the text "null".
    if (first.is(Kind::null)) return std::nullopt;
    append_marked(first, text_);
    return text_;
  }
  for (const auto& column : key_.columns) {
    const std::size_t at = text_.size();
    text_.append(4, '\0');
    append_marked(value_of(column), text_);
    // Its size stands before it: "a", "bc" is not "ab", "c".
    for (std::size_t i = 0, size = text_.size() - at - 4; i < 4; ++i, size >>= 8)
      text_[at + i] = static_cast<char>(size & 0xFF);
  }
  return text_;
}

}  // namespace streamd::enrich
