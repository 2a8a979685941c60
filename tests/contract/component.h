// SPDX-License-Identifier: Apache-2.0
// What tests of single components share: making a plan from fields, batches from text, and an
// emitter that remembers.
#pragma once

#include "engine/api/registry.h"
#include "tests/support/catch.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace streamd::test {

inline ConfigNode scalar(std::string text) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::scalar;
  node.text = std::move(text);
  return node;
}
inline ConfigNode map_of(std::vector<std::pair<std::string, ConfigNode>> entries) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::map;
  for (auto& [key, value] : entries) node.entries.emplace_back(scalar(key), std::move(value));
  return node;
}
inline ConfigNode list_of(const std::vector<std::string>& items) {
  ConfigNode node;
  node.shape = ConfigNode::Shape::list;
  for (const auto& item : items) node.items.push_back(scalar(item));
  return node;
}

// Null when `problems` got one.
template <class Plan>
std::unique_ptr<Plan> make_plan(const std::vector<Registered<Plan>>& known, const std::string& type,
                                const ConfigNode& fields, Diagnostics& problems,
                                const std::vector<const SpecView*>& also = {}) {
  for (const auto& registered : known)
    if (registered.view.type == type) {
      auto plan = registered.make(fields, also, problems).plan;
      return problems.errors() > 0 ? nullptr : std::move(plan);
    }
  FAIL("no such component: " << type);
  return nullptr;
}

class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "streamd-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}
inline void append_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::app) << text;
}
inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A batch of one column per field; values must outlive it.
inline Batch batch_of(std::vector<Column> columns) {
  auto rows = std::make_shared<Rows>();
  const std::size_t count = columns.empty() ? 0 : columns[0].size();
  rows->time.resize(count);
  rows->floor.resize(count, EventTime::min());
  for (std::size_t i = 0; i < count; ++i) rows->position.push_back(i);
  std::vector<ColumnPtr> shared;
  for (auto& column : columns) shared.push_back(std::make_shared<const Column>(std::move(column)));
  return {rows, shared, std::make_shared<const Origin>(Origin{"test", "0"})};
}

// Remembers all that a node gave.
class Collector final : public Emitter {
 public:
  struct Rejected {
    std::uint32_t row;
    std::string code, reason;
  };
  void emit(const Batch& batch, Port) override {
    if (!batch.empty()) batches.push_back(batch);
  }
  void drop(DropReason reason, std::size_t records) override { dropped[reason] += records; }
  void reject(const Batch& batch, std::size_t i, const Fault& fault) override {
    rejected.push_back({batch.physical(i), std::string(fault.code), std::string(fault.reason)});
  }
  void fail(const Batch& batch, std::size_t i, const Fault& fault) override {
    failed.push_back({batch.physical(i), std::string(fault.code), std::string(fault.reason)});
  }
  std::vector<Batch> batches;
  std::map<DropReason, std::size_t> dropped;
  std::vector<Rejected> rejected;
  std::vector<Rejected> failed;  // results
};

}  // namespace streamd::test
