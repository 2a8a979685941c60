// SPDX-License-Identifier: Apache-2.0
#include "engine/config/reference.h"

#include "engine/config/document.h"
#include "engine/config/pages.h"

#include <fmt/format.h>

namespace streamd {
namespace {

std::string key_table(const std::vector<FieldView>& fields) {
  std::string out = "| key | what it does | default |\n|---|---|---|\n";
  for (const auto& field : fields)
    out += fmt::format("| `{}` | {} | {} |\n", field.name, table_cell(field.help),
                       field.required           ? "required"
                       : field.fallback.empty() ? ""
                                                : "`" + table_cell(field.fallback) + "`");
  return out;
}

void field_text(const FieldView& field, std::string& out) {
  out += fmt::format("### `{}`\n\n{}\n\n", field.name, field.help);
  std::string facts = field.type;
  if (field.required)
    facts += ", required";
  else if (!field.fallback.empty())
    facts += fmt::format(", default `{}`", field.fallback);
  if (field.secret) facts += ", secret (use `${VAR}` or `${file:/path}`)";
  out += "*" + facts + "*\n\n";
  if (!field.examples.empty()) {
    out += "```yaml\n";
    for (const auto& example : field.examples) out += field.name + ": " + example + "\n";
    out += "```\n\n";
  }
  if (!field.nested.empty()) out += key_table(field.nested) + "\n";
}

void fields_text(const SpecView& view, bool advanced, std::string& out) {
  for (const auto& field : view.fields)
    if (field.advanced == advanced) field_text(field, out);
}

bool has_advanced(const SpecView& view) {
  for (const auto& field : view.fields)
    if (field.advanced) return true;
  return false;
}

std::string component_page(const SpecView& view, const SpecView& common) {
  std::string out(kPageFront);
  out += fmt::format("# {} `{}`\n\n{}\n\n", view.kind, view.type, view.summary);
  if (!view.promise.empty()) out += fmt::format("**Delivery:** {}\n\n", view.promise);
  if (!view.details.empty()) out += view.details + "\n\n";
  for (const auto& example : view.examples)
    out += fmt::format("**{}**\n\n```yaml\n{}{}```\n\n", example.title, example.yaml,
                       !example.yaml.empty() && example.yaml.back() == '\n' ? "" : "\n");
  if (!view.fields.empty()) out += "## Keys\n\n";
  fields_text(view, false, out);
  if (has_advanced(view)) out += "## Advanced keys\n\n";
  fields_text(view, true, out);
  if (!view.rules.empty()) {
    out += "## Rules\n\n";
    for (const auto& rule : view.rules) out += "- " + rule + "\n";
    out += "\n";
  }
  const bool is_node = view.kind == "operator" || view.kind == "sink";
  out += fmt::format("## Keys of every {}\n\n", is_node ? "operator and sink" : view.kind);
  out += key_table(common.fields);
  return out;
}

std::string pipeline_page(const CommonKeys& common) {
  std::string out(kPageFront);
  out += "# The pipeline file\n\n## Top level\n\n";
  fields_text(document_view(), false, out);
  out += "## Every source\n\n";
  fields_text(common.source, false, out);
  fields_text(common.source, true, out);
  out += "## Every list\n\n";
  fields_text(common.list, false, out);
  out += "## Every operator and sink\n\n";
  fields_text(common.node, false, out);
  out +=
      "## Values\n\n"
      "- Durations have units: `250us`, `500ms`, `30s`, `1m`, `1h30m`, `2d`.\n"
      "- Sizes too: `512`, `64KiB`, `16MiB`, `1GB`.\n"
      "- `${VAR}`, `${VAR:-default}` and `${file:/path}` are put into single values after the file "
      "was read as YAML; `$$` is a dollar sign.\n"
      "- Anchors, aliases and `<<` work; top-level keys that begin with `x-` are a place for "
      "them.\n";
  return out;
}

}  // namespace

std::string file_page(const std::string& title, const std::string& text,
                      const std::vector<FilePart>& parts) {
  std::string out(kPageFront);
  out += fmt::format("# {}\n\n{}\n\n", title, text);
  for (const auto& part : parts) {
    out += fmt::format("## {}\n\n", part.title);
    fields_text(part.view, false, out);
  }
  return out;
}

std::map<std::string, std::string> reference_pages(const Registry& registry,
                                                   const CommonKeys& common) {
  std::map<std::string, std::string> pages;
  std::string index(kPageFront);
  index +=
      "# Reference\n\n- [The pipeline file](pipeline.md)\n- [Expressions](expressions.md)\n"
      "- [The test file](tests.md)\n";
  for (const std::string kind : {"source", "list", "operator", "sink"}) {
    const auto views = all_views(registry, kind);
    if (views.empty()) continue;
    index += fmt::format("\n## {}{}s\n\n", static_cast<char>(kind[0] - 'a' + 'A'), kind.substr(1));
    for (const auto& view : views) {
      const std::string path = kind + "s/" + view.type + ".md";
      index += fmt::format("- [`{}`]({}): {}\n", view.type, path, view.summary);
      pages[path] = component_page(view, common.of(kind));
    }
  }
  pages["index.md"] = std::move(index);
  pages["pipeline.md"] = pipeline_page(common);
  pages["expressions.md"] = expressions_page(registry);
  return pages;
}

}  // namespace streamd
