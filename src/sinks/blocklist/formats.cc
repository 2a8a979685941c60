// SPDX-License-Identifier: Apache-2.0
#include "sinks/blocklist/formats.h"

#include "engine/codec/encode.h"

#include <fmt/format.h>

#include <string_view>

namespace streamd::blocklist {
namespace {

// Adding what exists changes nothing, so the same text works the first time and later. auto-merge
// lets addresses stand beside the networks that hold them.
void append_set(const Entries& entries, bool v6, const std::string& name, std::string& out) {
  out += fmt::format(
      "add set inet streamd {0} {{ type {1}; flags interval; auto-merge; }}\n"
      "flush set inet streamd {0}\n",
      name, v6 ? "ipv6_addr" : "ipv4_addr");
  std::string elements;
  for (const auto& [network, entry] : entries.all())
    if (network.first.v6 == v6) elements += (elements.empty() ? "" : ",\n  ") + text_of(network);
  if (!elements.empty())
    out += fmt::format("add element inet streamd {} {{\n  {}\n}}\n", name, elements);
}

// Quoted where CSV asks for it; what a spreadsheet would take for a formula gets a quote in front.
void append_cell(std::string_view text, std::string& out) {
  const bool formula =
      !text.empty() && std::string_view("=+-@").find(text[0]) != std::string_view::npos;
  if (text.find_first_of(",\"") == std::string_view::npos && !formula) {
    out += text;
    return;
  }
  out += '"';
  if (formula) out += '\'';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_time(EventTime time, std::string& out) {
  std::string quoted;
  append_json(Value::timestamp(time), quoted);
  out += quoted.substr(1, quoted.size() - 2);
}

std::string csv(const Entries& entries) {
  std::string out = "address,score,reasons,first_told,last_told,expires\n";
  for (const auto& [network, entry] : entries.all()) {
    out += text_of(network) + ',';
    if (entry.score) out += fmt::format("{}", *entry.score);
    out += ',';
    append_cell(entry.why, out);
    for (const EventTime time : {entry.first_told, entry.last_told, entry.expires}) {
      out += ',';
      append_time(time, out);
    }
    out += '\n';
  }
  return out;
}

}  // namespace

std::string written(const Entries& entries, Format format, const std::string& set) {
  std::string out;
  switch (format) {
    case Format::plain:
      for (const auto& [network, entry] : entries.all()) out += text_of(network) + '\n';
      break;
    case Format::nginx:
      for (const auto& [network, entry] : entries.all()) out += "deny " + text_of(network) + ";\n";
      break;
    case Format::nftables:
      out = "add table inet streamd\n";
      append_set(entries, false, set + '4', out);
      append_set(entries, true, set + '6', out);
      break;
    case Format::csv: out = csv(entries); break;
  }
  return out;
}

}  // namespace streamd::blocklist
