// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/encode.h"
#include "engine/codec/raw_json.h"

namespace streamd {
namespace {

// What is to happen with one path of the raw object.
struct Change {
  std::string_view path;  // relative to the object at hand
  const Value* value;     // null: leave out
  char* written;          // set when the value took the place of the old one
};

bool has_below(const std::vector<Change>& changes, std::string_view raw_key) {
  for (const Change& change : changes) {
    const std::size_t dot = change.path.find('.');
    if (dot != std::string_view::npos && key_is(raw_key, change.path.substr(0, dot))) return true;
  }
  return false;
}

void append_nested(std::string_view object, const std::vector<Change>& changes, TimeStyle style,
                   std::string& out);

// The member with what lies deeper changed.
void append_below(const RawMember& member, const std::vector<Change>& changes, TimeStyle style,
                  std::string& out) {
  std::vector<Change> below;
  for (const Change& change : changes) {
    const std::size_t dot = change.path.find('.');
    if (dot == std::string_view::npos || !key_is(member.key, change.path.substr(0, dot))) continue;
    below.push_back({change.path.substr(dot + 1), change.value, change.written});
  }
  append_one_line(member.whole.substr(0, member.whole.size() - member.value.size()), out);
  append_nested(member.value, below, style, out);
}

void append_nested(std::string_view object, const std::vector<Change>& changes, TimeStyle style,
                   std::string& out) {
  RawMembers members(object);
  bool first = true;
  const auto comma = [&] {
    if (!first) out += ',';
    first = false;
  };
  out += '{';
  while (const auto member = members.next()) {
    const Change* hit = nullptr;
    for (const Change& change : changes) {
      if (key_is(member->key, change.path)) hit = &change;
    }
    if (hit != nullptr) {
      if (hit->value == nullptr || *hit->written || hit->value->is(Kind::missing)) continue;
      comma();
      out += member->whole.substr(0, member->key.size() + 2);
      out += ':';
      append_json(*hit->value, out, style);
      *hit->written = 1;
    } else if (member->value.front() == '{' && has_below(changes, member->key)) {
      comma();
      append_below(*member, changes, style, out);
    } else {
      comma();
      append_one_line(member->whole, out);
    }
  }
  out += '}';
}

}  // namespace

void append_without(std::string_view object, const std::vector<std::string>& paths,
                    std::string& out) {
  std::vector<Change> changes;
  for (const std::string& path : paths) changes.push_back({path, nullptr, nullptr});
  append_nested(object, changes, TimeStyle::rfc3339, out);
}

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
  std::vector<Change> changes;
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
      append_below(*member, changes, style_, out);
    } else {
      append_one_line(member->whole, out);
    }
  }
  append_members(batch, i, written.empty() ? nullptr : written.data(), first, out);
  out += '}';
}

}  // namespace streamd
