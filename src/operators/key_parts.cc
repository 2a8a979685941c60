// SPDX-License-Identifier: Apache-2.0
#include "operators/key_parts.h"

#include "engine/api/field_paths.h"
#include "engine/core/key.h"

#include <algorithm>

namespace streamd {
namespace {

bool names_field(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '@' || c == '.';
  });
}

}  // namespace

KeyParts KeyParts::parse(const std::vector<ExprText>& by, Diagnostics& problems) {
  KeyParts key;
  std::set<std::string> seen;
  for (const ExprText& text : by) {
    if (!seen.insert(text.text).second) {
      problems.error("duplicate-name", text.where.place, "\"" + text.text + "\" is there twice",
                     "Remove one.");
      continue;
    }
    Part part{text, {}, {}};
    Diagnostics no_expression;
    if (names_field(text.text)) {
      part.field = text.text;
      if (text.text.find('.') != std::string::npos)
        part.expression = expr::Expression::parse(text, no_expression);
    } else {
      part.expression = expr::Expression::parse(text, problems);
      if (!part.expression) continue;
    }
    key.parts_.push_back(std::move(part));
  }
  return key;
}

void KeyParts::fields(std::set<std::string>& into) const {
  for (const Part& part : parts_) {
    if (part.field.empty())
      part.expression->fields(into);
    else
      into.insert(part.field);
  }
}

bool KeyColumns::plain() const {
  return std::none_of(parts.begin(), parts.end(),
                      [](const Part& p) { return p.program.has_value(); });
}

std::vector<std::string> KeyParts::key_fields() const {
  std::vector<std::string> names;
  for (const Part& part : parts_) names.push_back(part.text.text);
  return names;
}

std::string KeyParts::text() const {
  std::string text = "by";
  for (const Part& part : parts_) text += " " + json_quote(part.text.text);
  return text;
}

KeyColumns KeyParts::bind(const Schema& in, Diagnostics& problems) const {
  KeyColumns bound;
  for (const Part& part : parts_) {
    KeyColumns::Part to{part.text.text, std::nullopt, std::nullopt};
    to.column = part.field.empty() ? std::nullopt : in.find(part.field);
    const bool inside = part.expression && lies_in_column(in, part.field);
    if (part.field.empty() || (!to.column && inside))
      to.program = part.expression->bind(in, problems);
    else
      require_field(in, part.field, part.text.where.place, problems);
    bound.parts.push_back(std::move(to));
  }
  return bound;
}

void KeyReader::start(const Batch& in) {
  arena_.clear();
  evaluated_.resize(key_.parts.size());
  columns_.assign(key_.parts.size(), nullptr);
  for (std::size_t p = 0; p < key_.parts.size(); ++p) {
    const KeyColumns::Part& part = key_.parts[p];
    if (part.column) {
      columns_[p] = in.column(*part.column)->data();
    } else if (part.program) {
      part.program->evaluate(in, arena_, evaluated_[p]);
      columns_[p] = evaluated_[p].data();
    }
  }
}

bool KeyReader::append(std::uint32_t row, std::string& key) {
  for (std::size_t p = 0; p < columns_.size(); ++p) {
    if (columns_[p] == nullptr || columns_[p][row].is(Kind::missing)) {
      code_ = "missing-field";
      reason_ = "the record has no field \"" + key_.parts[p].text + "\"";
      return false;
    }
    const Value& value = columns_[p][row];
    if (value.is(Kind::error)) {
      code_ = "expression";
      reason_ = value.text();
      return false;
    }
    append_key(value, key);
  }
  return true;
}

void KeyColumns::hash(const Batch& in, std::uint64_t seed,
                      std::vector<std::uint64_t>& by_row) const {
  by_row.assign(in.physical_rows(), 0);
  KeyReader reader(*this);
  reader.start(in);
  std::string key;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::uint32_t row = in.physical(i);
    key.clear();
    if (reader.append(row, key)) by_row[row] = hash_key(key, seed);
  }
}

}  // namespace streamd
