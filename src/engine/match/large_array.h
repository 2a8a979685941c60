// SPDX-License-Identifier: Apache-2.0
// LargeArray<T>: a vector whose memory begins at a cache line and, when it is large, asks for huge
// pages: random looks into it then cost a wait for memory, not one for the page table too.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <sys/mman.h>
#include <vector>

namespace streamd {

template <class T>
struct LargeAllocator {
  using value_type = T;
  LargeAllocator() = default;
  template <class U>
  LargeAllocator(const LargeAllocator<U>&) noexcept {}

  T* allocate(std::size_t count) {
    constexpr std::size_t kLine = 64, kPage = std::size_t{2} << 20;
    const std::size_t bytes = count * sizeof(T);
    const std::size_t unit = bytes >= 2 * kPage ? kPage : kLine;
    void* at = std::aligned_alloc(unit, (bytes + unit - 1) / unit * unit);
    if (at == nullptr) throw std::bad_alloc();
    if (unit == kPage) ::madvise(at, bytes / unit * unit, MADV_HUGEPAGE);
    return static_cast<T*>(at);
  }
  void deallocate(T* at, std::size_t) noexcept { std::free(at); }
  bool operator==(const LargeAllocator&) const { return true; }
};

template <class T>
using LargeArray = std::vector<T, LargeAllocator<T>>;

}  // namespace streamd
