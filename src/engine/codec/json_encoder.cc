// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/encode.h"
#include "engine/codec/object_changes.h"
#include "engine/codec/raw_json.h"

namespace streamd {
JsonEncoder::JsonEncoder(const Schema& schema, TimeStyle style)
    : style_(style), copy_raw_(schema.raw_is_exact()), open_(schema.open) {
  for (std::size_t c = 0; c < schema.fields.size(); ++c) {
    const Field& field = schema.fields[c];
    if (schema.open && !field.derived) continue;
    std::string prefix;
    append_json_string(field.name, prefix);
    members_.push_back({c, prefix + ':'});
    drops_.push_back(field.name);
  }
  drops_.insert(drops_.end(), schema.hidden.begin(), schema.hidden.end());
  for (const std::string& path : drops_) {
    dotted_ = dotted_ || path.find('.') != std::string::npos;
  }
}

void JsonEncoder::append(const Batch& batch, std::size_t i, std::string& out) const {
  if (copy_raw_) {
    append_one_line(batch.raw(i), out);
  } else if (open_) {
    append_changed(batch, i, out);
  } else {
    out += '{';
    append_members(batch, i, nullptr, true, out);
    out += '}';
  }
}

void JsonEncoder::append_members(const Batch& batch, std::size_t i, const char* written, bool first,
                                 std::string& out) const {
  for (std::size_t m = 0; m < members_.size(); ++m) {
    const Value& value = batch.at(members_[m].column, i);
    if (value.is(Kind::missing) || (written != nullptr && written[m])) continue;
    if (!first) out += ',';
    first = false;
    out += members_[m].prefix;
    append_json(value, out, style_);
  }
}

void JsonEncoder::append_changed(const Batch& batch, std::size_t i, std::string& out) const {
  std::vector<char> written(dotted_ ? members_.size() : 0);
  std::vector<ObjectChange> changes;
  if (dotted_) {
    for (std::size_t d = 0; d < drops_.size(); ++d) {
      const bool derived = d < members_.size();
      changes.push_back({drops_[d], derived ? &batch.at(members_[d].column, i) : nullptr,
                         derived ? &written[d] : nullptr});
    }
  }
  bool first = true;
  RawMembers members(batch.raw(i));
  out += '{';
  while (const auto member = members.next()) {
    bool drop = false;
    for (const std::string& path : drops_) drop = drop || key_is(member->key, path);
    if (drop) continue;
    if (!first) out += ',';
    first = false;
    if (dotted_ && member->value.front() == '{' && has_below(changes, member->key)) {
      append_changed_member(member->key, member->whole, member->value, changes, style_, out);
    } else {
      append_one_line(member->whole, out);
    }
  }
  append_members(batch, i, written.empty() ? nullptr : written.data(), first, out);
  out += '}';
}

}  // namespace streamd
