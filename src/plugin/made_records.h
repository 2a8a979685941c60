// SPDX-License-Identifier: Apache-2.0
// MadeRecords: records that a plugin's operator makes, collected into batches during a call and
// handed on after it. Everything is copied. One thread.
#pragma once

#include "engine/api/emitter.h"
#include "engine/core/arena.h"
#include "plugin/abi.h"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace streamd::plugin {

class MadeRecords {
 public:
  // Each record has the fields of its key, then those of the row.
  MadeRecords(std::size_t key_fields, std::size_t fields, std::string node);

  // Its values are valid. False: its key is none.
  bool add(const sd_row& row);
  void flush(Emitter& out);

 private:
  static constexpr std::size_t kMost = 4096;
  void start();
  void close();

  const std::size_t key_fields_, fields_;
  const std::shared_ptr<const Origin> origin_;
  std::shared_ptr<Rows> rows_;
  std::shared_ptr<Arena> arena_;
  std::vector<std::shared_ptr<Column>> columns_;
  std::vector<Batch> full_;
  std::string bytes_;
};

}  // namespace streamd::plugin
