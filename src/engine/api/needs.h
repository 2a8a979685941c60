// SPDX-License-Identifier: Apache-2.0
// Which fields of its input a node needs. The planner asks from the sinks backwards and lets the
// source decode the union, once, and nothing else.
#pragma once

#include <set>
#include <string>

namespace streamd {

struct Needs {
  // Dotted paths: "status", "location.country_code".
  std::set<std::string> fields;
  // The whole record will be written out: raw bytes of an open schema, every column of a closed
  // one.
  bool whole = false;

  void merge(const Needs& other) {
    fields.insert(other.fields.begin(), other.fields.end());
    whole = whole || other.whole;
  }
};

}  // namespace streamd
