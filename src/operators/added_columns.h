// SPDX-License-Identifier: Apache-2.0
// AddedColumns: fields that an operator adds behind those of its input. Declared when the plan is
// made, bound with it, const afterwards and shared by all workers.
#pragma once

#include "engine/api/diagnostics.h"
#include "engine/api/needs.h"
#include "engine/core/batch.h"
#include "engine/core/schema.h"
#include "operators/outer_objects.h"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace streamd {

class AddedColumns {
 public:
  void add(std::string name, Type type) { fields_.push_back({std::move(name), type, true}); }

  // What is wanted of these fields is not asked of the input.
  void take_from(Needs& needs) const;
  // The schema with them. A name that is there already is reported at `place`; `option` is what
  // names them.
  Schema bind(const Schema& in, Place place, const char* option, Diagnostics& problems);

  // Empty columns for one batch, one per field, in the order of add().
  using Made = std::vector<std::shared_ptr<Column>>;
  Made make(const Batch& in) const;
  // The batch with what was filled in.
  Batch join(const Batch& in, Made made) const;

 private:
  std::vector<Field> fields_;
  std::size_t first_ = 0;
  OuterObjects outer_;
};

}  // namespace streamd
