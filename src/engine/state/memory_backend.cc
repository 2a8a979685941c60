// SPDX-License-Identifier: Apache-2.0
#include "engine/state/backend.h"

#include <map>

namespace streamd {
namespace {

class MemoryBackend final : public StateBackend {
 public:
  Result<std::optional<std::string>> get(std::string_view key) override {
    const auto it = rows_.find(key);
    if (it == rows_.end()) return std::optional<std::string>{};
    return std::optional<std::string>{it->second};
  }
  Status scan(std::string_view from, std::string_view to, const Visit& visit) override {
    for (auto it = rows_.lower_bound(from); it != rows_.end() && it->first < to; ++it)
      STREAMD_TRY(visit(it->first, it->second));
    return {};
  }
  Status write(const ChangeSet& changes) override {
    changes.each([this](ChangeSet::Kind kind, std::string_view a, std::string_view b) {
      switch (kind) {
        case ChangeSet::Kind::put: rows_.insert_or_assign(std::string(a), std::string(b)); break;
        case ChangeSet::Kind::erase: rows_.erase(std::string(a)); break;
        case ChangeSet::Kind::erase_range:
          rows_.erase(rows_.lower_bound(a), rows_.lower_bound(b));
          break;
      }
    });
    return {};
  }

 private:
  std::map<std::string, std::string, std::less<>> rows_;
};

}  // namespace

std::unique_ptr<StateBackend> make_memory_backend() { return std::make_unique<MemoryBackend>(); }

}  // namespace streamd
