// SPDX-License-Identifier: Apache-2.0
#include "lists/builtin_lists.h"

namespace streamd {

void add_builtin_lists(Registry& registry) {
  add_crowdsec_list(registry);
  add_file_list(registry);
  add_inline_list(registry);
  add_url_list(registry);
}

}  // namespace streamd
