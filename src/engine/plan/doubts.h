// SPDX-License-Identifier: Apache-2.0
// What is not known of a node because its settings have mistakes, so that all that is certain can
// be checked and what only follows from those mistakes is not told as well.
#pragma once

#include "engine/api/config_node.h"
#include "engine/api/spec_view.h"
#include "engine/core/schema.h"

#include <string>
#include <vector>

namespace streamd {

struct Doubts {
  ConfigNode settings;  // the node's map: misspelled keys corrected, unknown ones left out
  ConfigNode unknown;   // a map of the latter, as far as their values may be names of fields
  std::vector<std::string> keys;  // of settings: missing, unreadable or against a rule
  bool fields = false;            // the fields that leave the node are not known
  bool required = false;          // one of the keys is required

  bool any() const { return !keys.empty() || !unknown.entries.empty(); }
};

// Reports the keys of a node's map that none of the views knows.
Doubts read_keys(const ConfigNode& body, const std::vector<const SpecView*>& views,
                 Diagnostics& problems);

// Notes that these settings of a component are doubtful.
void doubt(const std::vector<std::string>& keys, const SpecView& view, Doubts& doubts);

// Hands over what binding the node found, except for what may follow from its doubtful settings:
// what is about those, about names that they mention, or about none of the settings.
void leave_out_consequences(const Doubts& doubts, const Diagnostics& found, Diagnostics& problems);

// Where `out` has a field only because binding took a wrong name for one, adds the field that is
// meant. `found`: as complete_fields() gives it. False: nobody knows which one that is.
bool add_what_is_meant(const Diagnostics& found, const Schema& in, Schema& out);

}  // namespace streamd
