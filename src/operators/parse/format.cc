// SPDX-License-Identifier: Apache-2.0
#include "operators/parse/format.h"

#include <algorithm>
#include <utility>

namespace streamd::parse {

void RowReader::read(const std::vector<TextRow>& texts, Cells& cells,
                     std::vector<Failure>& failures) {
  for (std::size_t t = 0; t < texts.size(); ++t) {
    std::fill(values_.begin(), values_.end(), Value::missing());
    if (!read_row(texts[t].text, *cells.arena, values_.data(), why_)) {
      failures.push_back({t, std::move(why_)});
      why_.clear();
      continue;
    }
    for (std::size_t f = 0; f < values_.size(); ++f) cells.columns[f][texts[t].row] = values_[f];
  }
}

std::unique_ptr<Format> make_format(const Config& config, const ConfigNode& node,
                                    Diagnostics& problems) {
  switch (config.format) {
    case FormatKind::json: return make_json_format(config);
    case FormatKind::kv:
    case FormatKind::cef:
    case FormatKind::leef: return make_pairs_format(config);
    case FormatKind::csv: return make_csv_format(config);
    case FormatKind::regex:
    case FormatKind::grok: return make_pattern_format(config, node, problems);
    case FormatKind::user_agent: return make_user_agent_format();
    case FormatKind::url: return make_url_format(config);
    case FormatKind::syslog: return make_syslog_format(config);
  }
  return nullptr;
}

}  // namespace streamd::parse
