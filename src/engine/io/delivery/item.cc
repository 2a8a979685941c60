// SPDX-License-Identifier: Apache-2.0
#include "engine/io/delivery/item.h"

#include "engine/core/hash.h"

#include <cstring>

namespace streamd::delivery {
namespace {

// No document is nearly as long; a larger size can only be damage.
constexpr std::uint32_t kLongestBody = 1u << 30;

template <class T>
void append_number(T value, std::string& out) {
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

template <class T>
bool take_number(std::string_view& bytes, T& into) {
  if (bytes.size() < sizeof into) return false;
  std::memcpy(&into, bytes.data(), sizeof into);
  bytes.remove_prefix(sizeof into);
  return true;
}

void append_text(std::string_view text, std::string& out) {
  append_number(static_cast<std::uint32_t>(text.size()), out);
  out += text;
}

bool take_text(std::string_view& bytes, std::string_view& into) {
  std::uint32_t size = 0;
  if (!take_number(bytes, size) || bytes.size() < size) return false;
  into = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return true;
}

}  // namespace

void append_frame(const Item& item, std::uint64_t begin, std::string& out) {
  const std::size_t head = out.size();
  out.append(kFrameHead, '\0');
  append_number(item.position, out);
  append_number(item.time.micros, out);
  for (const auto text : {item.id, item.route, item.document, item.node, item.partition, item.raw})
    append_text(text, out);
  const auto body = std::string_view(out).substr(head + kFrameHead);
  const auto size = static_cast<std::uint32_t>(body.size());
  const std::uint64_t sum = hash_bytes(body, begin);
  std::memcpy(out.data() + head, &size, sizeof size);
  std::memcpy(out.data() + head + sizeof size, &sum, sizeof sum);
}

Frame read_frame(std::string_view bytes, std::uint64_t begin, Item& item) {
  std::uint32_t size = 0;
  std::uint64_t sum = 0;
  item.begin = begin;
  item.end = begin + kFrameHead;
  if (!take_number(bytes, size) || !take_number(bytes, sum)) return Frame::cut;
  if (size > kLongestBody) return Frame::damaged;
  item.end += size;
  if (bytes.size() < size) return Frame::cut;
  std::string_view body = bytes.substr(0, size);
  if (hash_bytes(body, begin) != sum) return Frame::damaged;
  bool good = take_number(body, item.position) && take_number(body, item.time.micros);
  for (auto* text : {&item.id, &item.route, &item.document, &item.node, &item.partition, &item.raw})
    good = good && take_text(body, *text);
  return good && body.empty() ? Frame::whole : Frame::damaged;
}

Item own_copy(const Item& item) {
  auto chunk = std::make_shared<std::string>();
  append_frame(item, item.begin, *chunk);
  Item copy;
  read_frame(*chunk, item.begin, copy);
  copy.chunk = std::move(chunk);
  return copy;
}

}  // namespace streamd::delivery
