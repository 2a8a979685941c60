// SPDX-License-Identifier: Apache-2.0
// Names at a far side that are made from fields and from the record's time: `logs-{{ host
// }}-%Y.%m.%d`.
//
// They must begin with plain text, so that no record can choose another name than the user meant.
// %Y %m %d %H stand for the event time in UTC. Const once bound; cheap to copy.
#pragma once

#include "engine/expr/template.h"

#include <optional>
#include <set>
#include <string>

namespace streamd {

class DatedName {
 public:
  // what: "an index", for messages. Reports a name without a plain beginning at its place.
  static std::optional<DatedName> parse(const TemplateText& text, std::string_view what,
                                        Diagnostics& problems);
  void fields(std::set<std::string>& into) const { template_->fields(into); }
  // False when something was reported.
  bool bind(const Schema& in, Diagnostics& problems);
  // False when a hole failed on this record; *why says how.
  bool render(const Batch& in, std::size_t i, std::string& out, std::string* why) const;
  // The same for every record.
  bool fixed() const { return template_->literal() && !dated_; }
  // The plain beginning, with some date: what can be checked before there is a record.
  std::string beginning() const;

 private:
  std::optional<expr::Template> template_;
  std::optional<expr::BoundTemplate> bound_;
  bool dated_ = false;
};

}  // namespace streamd
