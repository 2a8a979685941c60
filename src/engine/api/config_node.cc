// SPDX-License-Identifier: Apache-2.0
#include "engine/api/config_node.h"

namespace streamd {

Place ConfigNode::place_at(std::size_t offset, std::size_t length) const {
  if (!one_line || substituted || offset > text.size()) return place;
  Place at = place;
  at.column += text_column_shift + static_cast<std::uint32_t>(offset);
  at.length = length == 0 ? 1 : static_cast<std::uint32_t>(length);
  return at;
}

}  // namespace streamd
