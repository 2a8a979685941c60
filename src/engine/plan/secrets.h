// SPDX-License-Identifier: Apache-2.0
// Which values of a pipeline file are secret. What a component declares as secret is, wherever it
// stands: below a misspelled key, in a node of an unknown type, behind an anchor.
#pragma once

#include "engine/api/registry.h"

#include <string>
#include <vector>

namespace streamd {

// The options that some component declares as secret.
std::vector<std::string> secret_names(const Registry& registry);

// Where the secret values of a document begin.
std::vector<Place> secret_places(const ConfigNode& document, const Registry& registry);

// The secret values of a document, for those who show something that may repeat them: whole, the
// password of a URL, and what follows the scheme of an HTTP login.
std::vector<std::string> secret_values(const ConfigNode& document, const Registry& registry);

// Marks the secret values of a document as what came from a variable is: no message cites them.
void mark_secrets(ConfigNode& document, const Registry& registry);

// Warns of passwords and the like that stand in the file instead of coming from a variable or a
// file of their own. `document`: as it was parsed, before mark_secrets().
void warn_plain_secrets(const ConfigNode& document, const Registry& registry,
                        Diagnostics& problems);

}  // namespace streamd
