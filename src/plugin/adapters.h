// SPDX-License-Identifier: Apache-2.0
// Turns what a plugin's table lists into components of the registry, one function per kind. The
// library stays loaded for ever, so that the tables may be referred to.
#pragma once

#include "engine/api/registry.h"
#include "engine/expr/function_scope.h"
#include "plugin/library.h"

namespace streamd::plugin {

void add_operator(const Library& library, const sd_operator& op, Registry& registry);
void add_source(const Library& library, const sd_source& source, Registry& registry);
void add_sink(const Library& library, const sd_sink& sink, Registry& registry);
void add_function(const Library& library, const sd_function& function,
                  expr::FunctionScope& functions);

}  // namespace streamd::plugin
