// SPDX-License-Identifier: Apache-2.0
// Names of fields as operators look at them: dotted paths, and what to say of unknown ones.
#pragma once

#include "engine/api/diagnostics.h"
#include "engine/core/schema.h"

#include <string>
#include <string_view>

namespace streamd {

// The field itself or one inside it.
bool covers(std::string_view field, std::string_view path);
// What is left of a path inside the field: "b.c" of "a.b.c" in "a". Empty: it does not lie inside.
std::string_view path_inside(std::string_view field, std::string_view path);
// Whether one of the columns holds what the path names, inside a value.
bool lies_in_column(const Schema& in, std::string_view path);
// Reports a field that lies inside of a column and can't be had there; for one that records may
// lack.
void refuse_inside(const Schema& in, const std::string& field, Place place, Diagnostics& problems);
// Reports a field that no record can have, with the closest name, and one inside a column that a
// node before has made: only expressions look into those.
void require_field(const Schema& in, const std::string& field, Place place, Diagnostics& problems);

}  // namespace streamd
