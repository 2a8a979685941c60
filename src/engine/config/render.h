// SPDX-License-Identifier: Apache-2.0
// Problems as text for people, in the form that compilers use and editors can jump to:
//
//   pipelines/a.yaml:14:7: error: operator "dedupe": unknown key "withing" [unknown-key]
//      14 |       withing: 30s
//         |       ^~~~~~~
//         = help: did you mean "within"?
//
//   1 error
#pragma once

#include "engine/api/diagnostics.h"

#include <string>
#include <string_view>
#include <vector>

namespace streamd {

// A loaded file; Place::file is its index. The text is the file's own, so variables in it are
// still variables and no value of one is ever shown. Secrets and passwords in URLs are ***.
struct SourceText {
  std::string name;  // as the user gave it
  std::string text;
};

// What must not be shown of the files.
struct Secrets {
  std::vector<Place> places;  // where secret values begin
  std::vector<std::string>
      names;  // keys of secret values, for lines that nobody could make sense of
};

// Sorted by place, without repeats. Where a variable has no value, what follows from that at the
// same place is left out.
std::vector<Diagnostic> tidy(const Diagnostics& problems);

// Columns are counted in characters, as editors do. Empty text when there are no problems.
std::string render(const Diagnostics& problems, const std::vector<SourceText>& files,
                   bool colours = false, const Secrets& secrets = {});

}  // namespace streamd
