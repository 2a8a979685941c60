// SPDX-License-Identifier: Apache-2.0
// MadeOnce: objects of one kind by name, made when first asked for, gone with the last who uses
// them. Lives in Shared, whose own lock must not be held while a client is made. Thread-safe.
#pragma once

#include "engine/core/error.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace streamd::kafka {

template <class T>
class MadeOnce {
 public:
  // make: Result<std::shared_ptr<T>>(). A failure is not kept.
  template <class Make>
  Result<std::shared_ptr<T>> get(const std::string& name, Make make) {
    const std::lock_guard lock(mutex_);
    auto& slot = objects_[name];
    if (auto there = slot.lock()) return there;
    auto made = make();
    if (made) slot = *made;
    return made;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<T>> objects_;
};

}  // namespace streamd::kafka
