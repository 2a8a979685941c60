// SPDX-License-Identifier: Apache-2.0
// A value that owns what it holds, and memory that is spoilt after use.
#pragma once

#include "../value.hpp"

#include <cstdlib>
#include <initializer_list>
#include <map>
#include <new>
#include <vector>

namespace sd::test {

// Blocks for one call of the plugin. When it is over they are overwritten and given back, so that
// whoever looks at them later is found out, at the latest by AddressSanitizer.
class Borrowed {
 public:
  Borrowed() = default;
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  ~Borrowed() { end(); }

  void* take(std::size_t bytes) {
    void* block = std::malloc(bytes == 0 ? 1 : bytes);
    if (block == nullptr) throw std::bad_alloc();
    std::memset(block, 0xDD, bytes == 0 ? 1 : bytes);
    blocks_.push_back({block, bytes});
    return block;
  }
  template <class T>
  T* array(std::size_t count) {
    return static_cast<T*>(take(count * sizeof(T)));
  }
  sd_view text(std::string_view text) {
    if (text.empty()) return {nullptr, 0};
    void* copy = take(text.size());
    std::memcpy(copy, text.data(), text.size());
    return {static_cast<char*>(copy), text.size()};
  }
  void end() {
    for (const auto& [block, bytes] : blocks_) {
      // Through volatile: the compiler sees that nobody reads it and would leave it out.
      auto* byte = static_cast<volatile unsigned char*>(block);
      for (std::size_t i = 0; i < bytes; ++i) byte[i] = 0xDD;
      std::free(block);
    }
    blocks_.clear();
  }

 private:
  struct Block {
    void* block;
    std::size_t bytes;
  };
  std::vector<Block> blocks_;
};

class Field {
 public:
  Field() : raw_{} {}  // missing
  Field(std::nullptr_t) : raw_{SD_NULL, 0, {0}} {}
  Field(const char* text) : Field(SD_STRING, text) {}
  Field(std::string_view text) : Field(SD_STRING, text) {}
  Field(const std::string& text) : Field(SD_STRING, text) {}
  template <class T>
  requires(std::is_arithmetic_v<T>) Field(T number) : raw_(As<T>::to(number)) {}
  Field(Time time) : raw_(As<Time>::to(time)) {}
  template <class Rep, class Period>
  Field(std::chrono::duration<Rep, Period> d)
      : raw_(As<std::chrono::duration<Rep, Period>>::to(d)) {}
  // SD_STRING, SD_JSON, SD_BYTES, SD_IP, SD_CIDR: as value.hpp says.
  Field(std::uint32_t kind, std::string_view bytes)
      : raw_{kind, static_cast<std::uint32_t>(bytes.size()), {.s = nullptr}}, bytes_(bytes) {}
  static Field list(std::vector<Field> items) { return {SD_LIST, std::move(items)}; }
  // key, value, key, value, …
  static Field map(std::vector<Field> items) { return {SD_MAP, std::move(items)}; }
  // Copies what `value` points to.
  static Field copy(const sd_value& value) {
    Field field;
    field.raw_ = value;
    const Value seen(value);
    if (holds_bytes(value.kind)) {
      if (value.size > 0) field.bytes_.assign(value.as.s, value.size);
    } else if (value.kind == SD_LIST || value.kind == SD_MAP) {
      for (const Value item : seen.items()) field.items_.push_back(copy(item.raw()));
    }
    return field;
  }

  std::uint32_t kind() const { return raw_.kind; }
  bool missing() const { return raw_.kind == SD_MISSING; }
  const std::string& bytes() const { return bytes_; }
  std::string_view text() const {
    if (raw_.kind != SD_STRING) throw std::logic_error("not a text: " + show());
    return bytes_;
  }
  double number() const {
    const auto number = Value(raw_).number();
    if (!number) throw std::logic_error("not a number: " + show());
    return *number;
  }

  // As the plugin sees it.
  sd_value lend(Borrowed& memory) const {
    sd_value value = raw_;
    if (holds_bytes(raw_.kind)) value.as.s = memory.text(bytes_).data;
    if (raw_.kind == SD_LIST || raw_.kind == SD_MAP) {
      auto* items = memory.array<sd_value>(items_.size());
      for (std::size_t i = 0; i < items_.size(); ++i) items[i] = items_[i].lend(memory);
      value.as.items = items;
    }
    return value;
  }

  // As JSON, for people and for record_json().
  std::string show() const {
    if (raw_.kind == SD_MISSING) return "(missing)";
    if (raw_.kind == SD_NULL) return "null";
    if (raw_.kind == SD_BOOL) return raw_.as.i != 0 ? "true" : "false";
    if (raw_.kind == SD_UINT) return std::to_string(raw_.as.u);
    if (raw_.kind == SD_DOUBLE) {
      char digits[40];
      std::snprintf(digits, sizeof digits, "%.17g", raw_.as.d);
      return digits;
    }
    if (raw_.kind == SD_JSON) return bytes_;
    if (holds_bytes(raw_.kind)) return quote(bytes_);
    if (raw_.kind == SD_LIST || raw_.kind == SD_MAP) {
      const bool map = raw_.kind == SD_MAP;
      std::string all(1, map ? '{' : '[');
      for (std::size_t i = 0; i < items_.size(); ++i)
        all += (i == 0 ? "" : map && i % 2 == 1 ? ": " : ", ") + items_[i].show();
      return all + (map ? '}' : ']');
    }
    return std::to_string(raw_.as.i);
  }

  // Numbers by what they say: 1 is 1.0.
  bool operator==(const Field& other) const {
    const auto a = Value(raw_).number(), b = Value(other.raw_).number();
    if (a && b) return *a == *b;
    if (raw_.kind != other.raw_.kind) return false;
    if (holds_bytes(raw_.kind)) return bytes_ == other.bytes_;
    if (raw_.kind == SD_LIST || raw_.kind == SD_MAP) return items_ == other.items_;
    return raw_.kind == SD_MISSING || raw_.kind == SD_NULL || raw_.as.i == other.raw_.as.i;
  }

 private:
  Field(std::uint32_t kind, std::vector<Field> items)
      : raw_{kind,
             static_cast<std::uint32_t>(kind == SD_MAP ? items.size() / 2 : items.size()),
             {.items = nullptr}},
        items_(std::move(items)) {}
  static bool holds_bytes(std::uint32_t kind) {
    return kind == SD_STRING || kind == SD_JSON || kind == SD_BYTES || kind == SD_IP ||
           kind == SD_CIDR || kind == SD_ERROR;
  }
  static std::string quote(const std::string& text) {
    std::string quoted = "\"";
    for (const char c : text) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned char>(c));
      if (c == '"' || c == '\\')
        quoted += std::string("\\") + c;
      else
        quoted += static_cast<unsigned char>(c) < 0x20 ? std::string(escape) : std::string(1, c);
    }
    return quoted + '"';
  }

  sd_value raw_;
  std::string bytes_;
  std::vector<Field> items_;
};

using Fields = std::map<std::string, Field, std::less<>>;

// A record that goes in.
struct Input {
  Time time{};
  Fields fields;
};

// 2024-01-01T00:00:00Z and a little later: test::at(90s).
inline Time at(Duration after) { return Time(std::chrono::seconds(1'704'067'200)) + after; }

}  // namespace sd::test
