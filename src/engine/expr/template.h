// SPDX-License-Identifier: Apache-2.0
// Templates: text with holes, `{{ client_ip }} asked {{ host }}`. A hole is a CEL expression.
// `{{{{` and `}}}}` print two braces: `{{{{ x }}}}` gives `{{ x }}`. Nothing else is special.
//
// How values print: string as it is; int, uint, bool plain; double in its shortest form; timestamp
// as RFC 3339 in UTC; duration in seconds (`1.5s`); ip and cidr as usual; null as `null`; lists,
// maps and JSON as JSON text; bytes as they are. A missing field or an error is a failure.
#pragma once

#include "engine/api/diagnostics.h"
#include "engine/api/field_type.h"
#include "engine/core/batch.h"
#include "engine/core/schema.h"
#include "engine/expr/expression.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::expr {

// Appends the printed form of a value, as templates do. False for missing and error.
bool append_printed(const Value& value, std::string& out);

// Appends what came out of a hole in a form that means nothing but itself at the far side.
using Escape = void (*)(std::string_view text, std::string& out);

// A template whose holes are programs. Const and shared between workers; cheap to copy.
class BoundTemplate {
 public:
  // Appends the text for record i of the batch (0 <= i < in.size()). False when a hole failed on
  // this record: what was appended is then unspecified and *why, if given, holds the reason.
  // escape: applied to what the holes print, not to the template's own text; null = printed as is.
  bool render(const Batch& in, std::size_t i, std::string& out, std::string* why = nullptr,
              Escape escape = nullptr) const;

 private:
  friend class Template;
  struct Part {
    std::string literal;  // printed before the hole
    std::optional<Program> hole;
  };
  std::shared_ptr<const std::vector<Part>> parts_;
};

// A parsed template, not yet tied to a schema. Immutable and cheap to copy.
class Template {
 public:
  // Reports unclosed holes and errors inside them at their place in the scalar.
  static std::optional<Template> parse(const TemplateText& text, Diagnostics& problems);

  void fields(std::set<std::string>& into) const;
  bool literal() const;  // no holes
  // What every rendered text begins with; the whole text when literal().
  std::string_view literal_prefix() const;
  std::optional<BoundTemplate> bind(const Schema& in, Diagnostics& problems) const;

 private:
  struct Part {
    std::string literal;
    std::optional<Expression> hole;
  };
  std::shared_ptr<const std::vector<Part>> parts_;
};

}  // namespace streamd::expr
