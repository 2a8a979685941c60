// SPDX-License-Identifier: Apache-2.0
#include "plugin/made_records.h"

#include "engine/core/hash.h"
#include "engine/core/key.h"

#include <utility>

namespace streamd::plugin {
namespace {

Value copied(const Value& value, Arena& arena) {
  switch (value.kind()) {
    case Kind::string: return Value::string(arena.copy(value.text()));
    case Kind::json: return Value::json(arena.copy(value.text()));
    case Kind::bytes: return Value::bytes(arena.copy(value.text()));
    case Kind::ip: return Value::ip(arena.copy(value.text()));
    case Kind::cidr: return Value::cidr(arena.copy(value.text()));
    case Kind::list:
    case Kind::map: {
      const std::size_t count = std::size_t{value.size()} * (value.is(Kind::map) ? 2 : 1);
      Value* const items = arena.values(count);
      for (std::size_t i = 0; i < count; ++i) items[i] = copied(value.items()[i], arena);
      return value.is(Kind::map) ? Value::map(items, value.size())
                                 : Value::list(items, value.size());
    }
    default: return value;
  }
}

}  // namespace

MadeRecords::MadeRecords(std::size_t key_fields, std::size_t fields, std::string node)
    : key_fields_(key_fields),
      fields_(fields),
      origin_(std::make_shared<const Origin>(Origin{std::move(node), ""})) {}

void MadeRecords::start() {
  rows_ = std::make_shared<Rows>();
  arena_ = std::make_shared<Arena>();
  columns_.clear();
  for (std::size_t c = 0; c < key_fields_ + fields_; ++c)
    columns_.push_back(std::make_shared<Column>());
}

bool MadeRecords::add(const sd_row& row) {
  if (!rows_) start();
  bytes_.clear();
  if (key_fields_ > 0) {
    const auto key = decode_key(arena_->copy(from_abi(row.key)), *arena_);
    if (!key || key->size() != key_fields_) return false;
    for (std::size_t c = 0; c < key_fields_; ++c) columns_[c]->push_back((*key)[c]);
    bytes_.append(from_abi(row.key));
  }
  const Value* const values = from_abi(row.values);
  for (std::size_t c = 0; c < fields_; ++c) {
    columns_[key_fields_ + c]->push_back(copied(values[c], *arena_));
    if (row.id == 0) append_key(values[c], bytes_);
  }
  rows_->time.push_back({row.time});
  rows_->floor.push_back(EventTime::min());
  rows_->position.push_back(row.id != 0 ? row.id
                                        : hash_bytes(bytes_, static_cast<std::uint64_t>(row.time)));
  if (rows_->time.size() >= kMost) close();
  return true;
}

void MadeRecords::close() {
  if (!rows_) return;
  Batch batch(std::exchange(rows_, nullptr), {columns_.begin(), columns_.end()}, origin_);
  batch.keep(std::exchange(arena_, nullptr));
  full_.push_back(std::move(batch));
}

void MadeRecords::flush(Emitter& out) {
  close();
  for (const Batch& batch : full_) out.emit(batch);
  full_.clear();
}

}  // namespace streamd::plugin
