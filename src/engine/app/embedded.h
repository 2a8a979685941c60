// SPDX-License-Identifier: Apache-2.0
// Texts of the repository that are part of the binary (cmake/embed.cmake writes their source).
#pragma once

#include <span>
#include <string_view>

namespace streamd {

struct EmbeddedText {
  std::string_view path;  // below its folder: "c++/operator.cc"
  std::string_view text;
};

// plugins/sdk/templates: plugin_name stands for its name, PluginName for its class, @suffix@ for cc
// or c, @summary@ for what it does.
std::span<const EmbeddedText> plugin_templates();

}  // namespace streamd
