// SPDX-License-Identifier: Apache-2.0
// Options: the configuration of a plugin's component. Its sd_spec is what Spec<Config> is for a
// component that is built in: from it come the view (docs, schema, list) and the reading of YAML
// with the same messages; the values go to the plugin as an array in the order of its fields.
#pragma once

#include "engine/api/config_node.h"
#include "engine/api/diagnostics.h"
#include "engine/api/field_type.h"
#include "engine/api/spec_view.h"
#include "plugin/abi.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace streamd::plugin {

// `plugin`: the name of whoever brings it.
SpecView view_of(const sd_spec& spec, const std::string& kind, const std::string& plugin);

class Options {
 public:
  Options() = default;
  Options(const Options&) = delete;  // values point into it
  Options& operator=(const Options&) = delete;

  // Reads the fields of `spec` from a node whose keys are known to be known. Reports every mistake;
  // what cannot be read has its default then. Valid values are in range.
  void read(const sd_spec& spec, const ConfigNode& node, Diagnostics& problems);

  const sd_value* values() const { return values_.data(); }
  const sd_value& value(std::size_t field) const { return values_[field]; }
  // One per SD_FIELD_COLUMN (empty text: not set) and per entry of each SD_FIELD_COLUMNS, in order.
  const std::vector<ExprText>& columns() const { return columns_; }

 private:
  void read_field(const sd_field& field, const ConfigNode* node, Diagnostics& problems);
  sd_value text(std::string content);
  sd_value list(std::vector<sd_value> items, std::uint32_t kind, std::size_t count);

  std::vector<sd_value> values_;
  std::vector<ExprText> columns_;
  std::deque<std::string> texts_;
  std::deque<std::vector<sd_value>> lists_;
};

}  // namespace streamd::plugin
