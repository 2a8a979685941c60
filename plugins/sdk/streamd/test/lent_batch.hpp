// SPDX-License-Identifier: Apache-2.0
// A batch as the engine hands it over, for one call. Every other one has holes: entries that belong
// to no record, full of nonsense, so that a plugin that forgets `index` is found out.
#pragma once

#include "settings.hpp"

namespace sd::test::detail {

class LentBatch {
 public:
  LentBatch(const std::vector<Input>& records, const Config& config, bool holes,
            std::uint64_t first_position)
      : rows_(records.size()), holes_(holes) {
    raw_ = memory_.array<sd_batch>(1);
    *raw_ = {};
    raw_->size = sizeof(sd_batch);
    raw_->rows = rows_;
    raw_->entries = entries();
    raw_->origin = memory_.text("source");
    raw_->partition = memory_.text("file");
    if (holes) {
      auto* index = memory_.array<std::uint32_t>(rows_);
      for (std::size_t i = 0; i < rows_; ++i) index[i] = static_cast<std::uint32_t>(entry(i));
      raw_->index = index;
    }
    auto* times = memory_.array<std::int64_t>(entries());
    auto* positions = memory_.array<std::uint64_t>(entries());
    for (std::size_t i = 0; i < rows_; ++i) {
      times[entry(i)] = records[i].time.time_since_epoch().count();
      positions[entry(i)] = first_position + i;
    }
    raw_->times = times;
    raw_->positions = positions;
    raw_->column_count = static_cast<std::uint32_t>(config.columns.size());
    auto* columns = memory_.array<const sd_value*>(config.columns.size());
    for (std::size_t c = 0; c < config.columns.size(); ++c)
      columns[c] = config.columns[c] ? column(records, *config.columns[c]) : nullptr;
    raw_->columns = columns;
  }

  void set_keys(const std::vector<std::string>& keys) {
    auto* lent = memory_.array<sd_view>(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) lent[i] = memory_.text(keys[i]);
    raw_->keys = lent;
  }

  const sd_batch* raw() const { return raw_; }
  std::size_t rows() const { return rows_; }
  std::size_t entries() const { return holes_ ? 2 * rows_ + 1 : rows_; }
  std::size_t entry(std::size_t record) const { return holes_ ? 2 * record + 1 : record; }

 private:
  const sd_value* column(const std::vector<Input>& records, const std::string& name) {
    auto* values = memory_.array<sd_value>(entries());
    for (std::size_t i = 0; i < rows_; ++i) {
      const auto found = records[i].fields.find(name);
      values[entry(i)] =
          found == records[i].fields.end() ? sd_value{} : found->second.lend(memory_);
    }
    return values;
  }

  std::size_t rows_;
  bool holes_;
  Borrowed memory_;
  sd_batch* raw_;
};

}  // namespace sd::test::detail
