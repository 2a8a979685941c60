// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/decoders.h"
#include "engine/codec/json_fields.h"
#include "engine/codec/json_index.h"
#include "engine/codec/json_shape.h"
#include "engine/codec/json_text.h"
#include "engine/codec/utf8.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

namespace streamd {
namespace {

constexpr std::size_t kMaxDepth = 1024;
constexpr std::uint8_t kUnset = 255;

class JsonDecoder final : public Decoder {
 public:
  JsonDecoder(std::vector<std::string> fields, bool repair)
      : fields_(fields), repair_(repair), cells_(fields.size()), rank_(fields.size(), kUnset) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].find('.') != std::string::npos) dotted_.push_back(i);
      for (std::size_t j = 0; j < i; ++j) {
        if (fields[j] == fields[i]) twins_.emplace_back(j, i);
      }
    }
  }

  void decode(const RawBatch& in, Decoded& out) override {
    prepare(in, cells_.size(), out);
    arena_ = out.arena.get();
    for (std::size_t i = 0; i < cells_.size(); ++i) cells_[i] = out.columns[i]->data();
    for (std::uint32_t r = 0; r < in.records.size(); ++r) {
      auto matched = shapes_.match(in, r, cells_, out.records.size());
      for (; matched > 0; --matched) out.records.push_back(r++);
      if (r == in.records.size()) break;
      if (to_decode(in.records[r])) decode_completely(in.records[r].data, r, out);
    }
    finish(out);
    for (const auto& [first_of, last_of] : twins_) out.columns[first_of] = out.columns[last_of];
  }

 private:
  // Without the help of a shape.
  void decode_completely(std::string_view text, std::uint32_t r, Decoded& out) {
    row_ = out.records.size();
    if (repair_ && !is_utf8(text)) {
      text = repaired(text);
      out.repaired.emplace_back(static_cast<std::uint32_t>(row_), text);
    }
    if (record(text)) [[likely]] {
      out.records.push_back(r);
      shapes_.missed(text, index_.tokens(), index_.count(), fields_);
      return;
    }
    out.bad.push_back({r, code_, std::move(reason_)});
    for (Value* cell : cells_) cell[row_] = Value::missing();
    if (!out.repaired.empty() && out.repaired.back().first == row_) out.repaired.pop_back();
  }

  std::string_view repaired(std::string_view text) {
    scratch_.clear();
    append_repaired_utf8(text, scratch_);
    return arena_->copy(scratch_);
  }

  bool record(std::string_view text) {
    if (!index_.build(text)) {
      code_ = index_.code();
      reason_ = index_.reason();
      return false;
    }
    code_ = "bad-json";
    text_ = text.data();
    token_ = index_.tokens();
    count_ = index_.count();
    at_ = 0;
    escapes_ = std::memchr(text.data(), '\\', text.size()) != nullptr;
    for (const std::size_t slot : dotted_) rank_[slot] = kUnset;
    if (first() != '{') return refuse("the record is no JSON object");
    if (!object(0, 0)) return false;
    return at_ == count_ || refuse("something follows the object");
  }

  // First byte of the token at hand; 0 behind the last one.
  char first() const { return at_ < count_ ? text_[token_[at_]] : '\0'; }

  bool refuse(std::string_view what) {
    reason_ = at_ < count_ ? fmt::format("{} at byte {}", what, token_[at_])
                           : fmt::format("the text ends too early, at byte {}", token_[count_]);
    return false;
  }

  // The token at hand without the white space behind it.
  std::string_view token() const {
    const char* const begin = text_ + token_[at_];
    const char* end = text_ + token_[at_ + 1];
    while (end > begin && is_json_space(end[-1])) --end;
    return {begin, static_cast<std::size_t>(end - begin)};
  }

  // Moves behind a string; `inside` is what its quotes enclose.
  bool quoted(std::string_view& inside) {
    const std::string_view whole = token();
    if (whole.size() < 2 || whole.back() != '"') return refuse("string without end");
    inside = whole.substr(1, whole.size() - 2);
    if (escapes_) {
      std::size_t bad = 0;
      if (!check_json_escapes(inside, bad)) {
        reason_ = fmt::format("bad escape at byte {}", token_[at_] + 1 + bad);
        return false;
      }
    }
    ++at_;
    return true;
  }

  bool key(std::string_view& inside) {
    if (first() != '"') return refuse("expected a key");
    if (!quoted(inside)) return false;
    if (first() != ':') return refuse("expected \":\"");
    ++at_;
    return true;
  }

  // The members of the object at hand, whose wanted keys are those of `node`.
  bool object(int node, std::uint8_t depth) {
    ++at_;
    fields_.begin(node);
    if (first() == '}') {
      ++at_;
      return true;
    }
    while (true) {
      if (!escapes_ && plain_members(node, depth)) return true;
      std::string_view name;
      if (!key(name)) return false;
      const JsonFields::Entry* const entry = fields_.find(node, name);
      if (entry == nullptr ? !skip() : !member(*entry, depth)) return false;
      const char next = first();
      if (next != ',' && next != '}') return refuse("expected \",\" or \"}\"");
      ++at_;
      if (next == '}') return true;
    }
  }

  // The usual case, with the cursor in a register: "key":"value" without white space or escapes.
  // Stops before the first member that is anything else. True: the object has ended.
  bool plain_members(int node, std::uint8_t depth) {
    const char* const text = text_;
    const std::uint32_t* token = token_ + at_;
    const std::uint32_t* const last = token_ + count_;
    bool ended = false;
    while (!ended && last - token >= 4) {
      const std::uint32_t name = token[0] + 1, colon = token[1], value = token[2], next = token[3];
      if (text[name - 1] != '"' || text[colon] != ':' || text[value] != '"' ||
          text[colon - 1] != '"' || text[next - 1] != '"' || colon <= name || next < value + 2) {
        break;
      }
      if (text[next] != ',' && text[next] != '}') break;
      const JsonFields::Entry* const entry = fields_.find(node, {text + name, colon - 1 - name});
      if (entry != nullptr) {
        if (entry->child >= 0) {
          fields_.step_back(node);
          break;
        }
        store(entry->slot, depth, Value::string({text + value + 1, next - value - 2}));
      }
      ended = text[next] == '}';
      token += 4;
    }
    at_ = static_cast<std::uint32_t>(token - token_);
    return ended;
  }

  bool member(const JsonFields::Entry& entry, std::uint8_t depth) {
    if (entry.child < 0) {
      Value value;
      if (!take(value)) return false;
      store(entry.slot, depth, value);
      return true;
    }
    // A second key of this name replaces what the first one gave.
    for (const int slot : fields_.slots_below(entry.child)) {
      const auto s = static_cast<std::size_t>(slot);
      if (rank_[s] == kUnset || rank_[s] <= depth) continue;
      rank_[s] = kUnset;
      cells_[s][row_] = Value::missing();
    }
    Value value;
    if (first() == '{') {
      const std::uint32_t from = token_[at_];
      if (!object(entry.child, static_cast<std::uint8_t>(depth + 1))) return false;
      const std::uint32_t to = token_[at_ - 1] + 1;
      value = Value::json({text_ + from, to - from});
    } else if (!take(value)) {
      return false;
    }
    if (entry.slot >= 0) store(entry.slot, depth, value);
    return true;
  }

  // The fewer objects were descended into, the more literally the path was met.
  void store(int slot, std::uint8_t depth, const Value& value) {
    const auto s = static_cast<std::size_t>(slot);
    if (rank_[s] < depth) return;
    if (!dotted_.empty()) rank_[s] = depth;
    cells_[s][row_] = value;
  }

  // The value at hand, moving behind it.
  bool take(Value& value) {
    switch (first()) {
      case '"': {
        std::string_view inside;
        if (!quoted(inside)) return false;
        if (escapes_ && inside.find('\\') != std::string_view::npos) {
          char* const to = arena_->allocate(inside.size());
          std::size_t size = 0;
          unescape_json(inside, to, size);
          inside = {to, size};
        }
        value = Value::string(inside);
        return true;
      }
      case '{':
      case '[': {
        const std::uint32_t from = token_[at_];
        if (!skip()) return false;
        value = Value::json({text_ + from, token_[at_ - 1] + 1 - from});
        return true;
      }
      default: return scalar(&value);
    }
  }

  bool scalar(Value* value) {
    if (at_ >= count_) return refuse("");
    const std::string_view text = token();
    Value found;
    switch (text[0]) {
      case 't':
        if (text != "true") return refuse("expected true");
        found = Value::boolean(true);
        break;
      case 'f':
        if (text != "false") return refuse("expected false");
        found = Value::boolean(false);
        break;
      case 'n':
        if (text != "null") return refuse("expected null");
        found = Value::null();
        break;
      default:
        if (text[0] != '-' && (text[0] < '0' || text[0] > '9')) return refuse("expected a value");
        if (!read_json_number(text, value)) return refuse("bad number");
        ++at_;
        return true;
    }
    if (value != nullptr) *value = found;
    ++at_;
    return true;
  }

  // Checks the value at hand and moves behind it.
  bool skip() {
    const char c = first();
    if (c == '"') {
      if (!escapes_) [[likely]] {
        ++at_;
        return true;
      }
      std::string_view inside;
      return quoted(inside);
    }
    return c == '{' || c == '[' ? skip_nested() : scalar(nullptr);
  }

  bool skip_nested() {
    std::size_t depth = 0;
    while (true) {
      const char c = first();
      if (c == '{' || c == '[') {
        if (depth == kMaxDepth) return refuse("more than 1024 levels");
        object_at_[depth++] = c == '{';
        ++at_;
        if (first() == (c == '{' ? '}' : ']')) {
          ++at_;
          --depth;
        } else if (c == '{') {
          std::string_view name;
          if (!key(name)) return false;
          continue;
        } else {
          continue;
        }
      } else if (!(c == '"' ? skip() : scalar(nullptr))) {
        return false;
      }
      if (!close(depth)) return false;
      if (depth == 0) return true;
    }
  }

  // Behind a value: closes what ends here, or moves to the next value.
  bool close(std::size_t& depth) {
    while (depth > 0) {
      const bool in_object = object_at_[depth - 1];
      const char c = first();
      if (c == ',') {
        ++at_;
        std::string_view name;
        return !in_object || key(name);
      }
      if (c != (in_object ? '}' : ']')) {
        return refuse(in_object ? "expected \",\" or \"}\"" : "expected \",\" or \"]\"");
      }
      ++at_;
      --depth;
    }
    return true;
  }

  JsonFields fields_;
  bool repair_;
  JsonIndex index_;
  JsonShapes shapes_;
  std::vector<std::size_t> dotted_;                         // columns whose path has a dot
  std::vector<std::pair<std::size_t, std::size_t>> twins_;  // columns of the same path
  std::string scratch_;

  // The record at hand.
  std::vector<Value*> cells_;       // per column: its first value
  std::vector<std::uint8_t> rank_;  // per column: objects descended into for its value
  Arena* arena_ = nullptr;
  std::size_t row_ = 0;
  const char* text_ = nullptr;
  const std::uint32_t* token_ = nullptr;
  std::uint32_t count_ = 0;
  std::uint32_t at_ = 0;
  bool escapes_ = false;
  std::array<bool, kMaxDepth> object_at_{};
  std::string_view code_;
  std::string reason_;
};

}  // namespace

std::unique_ptr<Decoder> make_json_decoder(std::vector<std::string> fields, bool repair) {
  return std::make_unique<JsonDecoder>(std::move(fields), repair);
}

}  // namespace streamd
