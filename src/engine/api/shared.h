// SPDX-License-Identifier: Apache-2.0
// Shared: things that components of one running pipeline have in common, by name: the consumer
// group that an exactly-once sink commits offsets for, the producer of several sinks.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace streamd {

// Thread-safe. One per pipeline run, owned by the runtime, outlives all components.
class Shared {
 public:
  // The object under `name`, made by `make` (returning shared_ptr<T>) if it is not there yet. The
  // name must imply the type.
  template <class T, class Make>
  std::shared_ptr<T> get_or_make(const std::string& name, Make make) {
    const std::lock_guard lock(mutex_);
    auto& slot = objects_[name];
    if (!slot) slot = std::shared_ptr<T>(make());
    return std::static_pointer_cast<T>(slot);
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<void>> objects_;
};

}  // namespace streamd
