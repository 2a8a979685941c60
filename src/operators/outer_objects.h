// SPDX-License-Identifier: Apache-2.0
// Columns of objects, in step with the fields inside them. Column "a" and column "a.b" are decoded
// apart, so whoever sets, converts or takes out a.b does it in column "a" too, when there is one:
// only then does a node read the object as a whole. (What nobody reads as a whole is raw bytes,
// which the encoders change as they write them.)
#pragma once

#include "engine/core/arena.h"
#include "engine/core/batch.h"
#include "engine/core/schema.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace streamd {

// A field inside the objects of a column, and what stands there from now on; null: it is gone.
struct InnerField {
  std::string path;  // relative to the object
  ColumnPtr column;
};
// The selected objects with these fields; fields that an object does not have are not added.
ColumnPtr with_inner(const Batch& in, const Column& objects, const std::vector<InnerField>& fields,
                     Arena& arena);

// The same for all columns of an operator's output. Bound with the plan, const afterwards and
// shared by all workers.
class OuterObjects {
 public:
  // `changed`: the fields that the operator sets or takes out; those that are no column of `out`
  // are gone.
  void bind(const Schema& out, const std::vector<std::string>& changed);
  bool empty() const { return outer_.empty(); }
  // `made`: a batch of that schema. The arena must live as long as what is returned.
  Batch update(Batch made, Arena& arena) const;

 private:
  struct Inner {
    std::string path;
    std::optional<std::size_t> column;
  };
  struct Outer {
    std::size_t column;
    std::vector<Inner> fields;
  };
  std::vector<Outer> outer_;
};

}  // namespace streamd
