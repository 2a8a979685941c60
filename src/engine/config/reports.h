// SPDX-License-Identifier: Apache-2.0
// Problems for programs: editors, scripts, and the annotations of a CI. Stable: keys and codes are
// added, never renamed. Nothing of a file's text is in them but what the messages cite, so no
// secret is.
#pragma once

#include "engine/config/render.h"

#include <string>
#include <vector>

namespace streamd {

// One JSON array, a problem in each line, [] without problems: file, line, column, end_line,
// end_column, severity (error or warning), code, message, remedy. Lines and columns count from 1,
// columns in characters; the end is behind the last character. What is about a file as a whole has
// line 0 and column 0. remedy may be empty.
std::string report_json(const Diagnostics& problems, const std::vector<SourceText>& files);

// Workflow commands of GitHub Actions, one line each: ::error file=…,line=…,col=…::message. What
// they would take for their own signs is escaped.
std::string report_github(const Diagnostics& problems, const std::vector<SourceText>& files);

}  // namespace streamd
