// SPDX-License-Identifier: Apache-2.0
// What the column kernels (columns.cc, conditions.cc) share: buffers that are reused from call to
// call, and operands that are a constant, a column of the batch or a buffer. Internal to expr.
#pragma once

#include "engine/expr/node.h"

#include <cstdint>
#include <utility>
#include <vector>

namespace streamd::expr {

// A buffer of the calling thread, given back at the end of its scope. Grows to the largest batch
// seen and stays.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) {
    if (!pool().empty()) {
      items_ = std::move(pool().back());
      pool().pop_back();
    }
    if (items_.size() < size) items_.resize(size);
    taken_ = true;
  }
  Buffer(Buffer&& other) noexcept
      : items_(std::move(other.items_)), taken_(std::exchange(other.taken_, false)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(items_, other.items_);
    std::swap(taken_, other.taken_);
    return *this;
  }
  ~Buffer() {
    if (taken_) pool().push_back(std::move(items_));
  }
  T* data() { return items_.data(); }
  T& operator[](std::size_t i) { return items_[i]; }

 private:
  static std::vector<std::vector<T>>& pool() {
    thread_local std::vector<std::vector<T>> spare;
    return spare;
  }
  std::vector<T> items_;
  bool taken_ = false;
};

template <class F>
inline void for_rows(RowSet rows, F f) {
  if (rows.index == nullptr) {
    for (std::uint32_t r = 0; r < rows.count; ++r) f(r);
  } else {
    for (std::uint32_t i = 0; i < rows.count; ++i) f(rows.index[i]);
  }
}

// Values of a node for a set of rows. Constants are not spread over a column.
class Operand {
 public:
  Operand(Context& context, const Node& node, RowSet rows) : node_(node) {
    if (node.op == Op::constant) {
      values_ = &node.constant;
      stride_ = 0;
    } else if (node.op == Op::field) {
      values_ = context.batch->column(node.slot)->data();
    } else {
      buffer_ = Buffer<Value>(context.batch->physical_rows());
      fill_values(context, node, rows, buffer_.data());
      values_ = buffer_.data();
    }
  }
  Operand(const Operand&) = delete;
  Operand& operator=(const Operand&) = delete;

  bool constant() const { return stride_ == 0; }
  // May be missing, in columns of the batch only.
  const Value& raw(std::uint32_t row) const { return values_[row * stride_]; }
  // A missing value becomes the error that says so.
  const Value& settled(std::uint32_t row) const {
    const Value& v = raw(row);
    return v.is(Kind::missing) ? node_.constant : v;
  }

 private:
  const Node& node_;
  const Value* values_ = nullptr;
  std::size_t stride_ = 1;
  Buffer<Value> buffer_;
};

}  // namespace streamd::expr
