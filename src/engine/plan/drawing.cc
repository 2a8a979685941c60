// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/drawing.h"

#include "engine/plan/joint.h"
#include "engine/plan/list_use.h"

#include <fmt/format.h>

#include <set>
#include <utility>

namespace streamd {
namespace {

using NodeKind = PlanNode::Kind;

std::string port_name(const Plan& plan, const PlanInput& input) {
  if (input.port == Port::late) return "late";
  if (is_route(input.port)) return plan.nodes[input.node].op->routes()[route_of(input.port)];
  return {};
}

std::string kind_name(NodeKind kind) {
  return kind == NodeKind::source ? "source" : kind == NodeKind::op ? "operator" : "sink";
}

struct Edge {
  std::size_t from, to;
  std::string port;  // empty: the node's output
};

std::vector<Edge> edges_of(const Plan& plan) {
  std::vector<Edge> edges;
  for (std::size_t to = 0; to < plan.nodes.size(); ++to)
    for (const auto& input : plan.nodes[to].inputs)
      edges.push_back({input.node, to, port_name(plan, input)});
  return edges;
}

// The settings of a node: in the document of its pipeline, of a joint job that of its member.
const ConfigNode* body_of(const Plan& plan, const PlanNode& node,
                          const std::vector<ConfigNode>& documents) {
  const std::string own = own_name(node.name);
  const bool joint = own.size() < node.name.size();
  const std::string pipeline =
      joint ? node.name.substr(0, node.name.size() - own.size() - 1) : plan.pipeline;
  for (const auto& document : documents) {
    const ConfigNode* name = document.find("pipeline");
    if (name == nullptr || name->text != pipeline) continue;
    for (const char* section : {"operators", "sinks"})
      if (const ConfigNode* nodes = document.find(section))
        if (const ConfigNode* body = nodes->find(own)) return body;
  }
  return nullptr;
}

using Asked = std::vector<std::vector<std::size_t>>;  // of each node: indices into Plan::lists

Asked asked_lists(const Plan& plan, const std::vector<ConfigNode>& documents) {
  Asked asked(plan.nodes.size());
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    if (plan.nodes[i].kind == NodeKind::source) continue;
    const ConfigNode* body = body_of(plan, plan.nodes[i], documents);
    for (std::size_t l = 0; body != nullptr && l < plan.lists.size(); ++l)
      if (asks_list(*body, own_name(plan.lists[l].name))) asked[i].push_back(l);
  }
  return asked;
}

class TextDrawing {
 public:
  TextDrawing(const Plan& plan, const std::vector<ConfigNode>& documents)
      : plan_(plan), edges_(edges_of(plan)), asked_(asked_lists(plan, documents)) {}

  std::string run() {
    text_ = fmt::format("pipeline {}\n", plan_.pipeline);
    for (std::size_t i = 0; i < plan_.nodes.size(); ++i)
      if (plan_.nodes[i].kind == NodeKind::source) {
        text_ += fmt::format("\n{} (source {})\n", plan_.nodes[i].name, plan_.nodes[i].type);
        readers(i, "");
      }
    for (const auto& list : plan_.lists)
      text_ += fmt::format("\n{} (list {})\n", list.name, list.type);
    if (plan_.dead_letters)
      text_ += fmt::format("\ndead letters of all nodes\n└─ {}\n", label(*plan_.dead_letters));
    return text_;
  }

 private:
  std::string label(std::size_t i) const {
    const PlanNode& node = plan_.nodes[i];
    const bool sink = node.kind == NodeKind::sink;
    std::string text = fmt::format("{} ({}{})", node.name, sink ? "sink " : "", node.type);
    if (node.op != nullptr && !node.op->key_fields().empty())
      text += fmt::format(" by {}", fmt::join(node.op->key_fields(), ", "));
    for (std::size_t k = 0; k < asked_[i].size(); ++k)
      text += (k == 0 ? " <- list " : ", ") + plan_.lists[asked_[i][k]].name;
    return text;
  }

  void readers(std::size_t of, const std::string& indent) {
    std::vector<const Edge*> out;
    for (const auto& edge : edges_)
      if (edge.from == of) out.push_back(&edge);
    for (std::size_t k = 0; k < out.size(); ++k) {
      const bool last = k + 1 == out.size();
      const Edge& edge = *out[k];
      const bool is_new = drawn_.insert(edge.to).second;
      text_ += indent + (last ? "└─ " : "├─ ");
      if (!edge.port.empty()) text_ += "[" + edge.port + "] ";
      text_ += is_new ? label(edge.to) + "\n" : plan_.nodes[edge.to].name + " ↑\n";
      if (is_new) readers(edge.to, indent + (last ? "   " : "│  "));
    }
  }

  const Plan& plan_;
  const std::vector<Edge> edges_;
  const Asked asked_;
  std::set<std::size_t> drawn_;
  std::string text_;
};

// What ends a quoted text, or begins something else in it.
std::string mermaid_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || c == '.' || c == '+' || c == ' ' ||
                       static_cast<unsigned char>(c) >= 0x80;
    if (plain)
      out += c;
    else
      out += fmt::format("#{};", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return out;
}

std::string dot_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string draw_text(const Drawn& drawn) {
  std::string text;
  for (const auto& plan : drawn.plans)
    text += (text.empty() ? "" : "\n") + TextDrawing(plan, drawn.documents).run();
  return text;
}

std::string draw_mermaid(const Drawn& drawn) {
  std::string text = "flowchart LR\n";
  for (std::size_t p = 0; p < drawn.plans.size(); ++p) {
    const Plan& plan = drawn.plans[p];
    const Asked asked = asked_lists(plan, drawn.documents);
    const auto id = [p](const char* kind, std::size_t i) {
      return fmt::format("{}{}_{}", kind, p, i);
    };
    text += fmt::format("  subgraph p{}[\"{}\"]\n", p, mermaid_text(plan.pipeline));
    for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
      const PlanNode& node = plan.nodes[i];
      const auto [open, close] = node.kind == NodeKind::source ? std::pair("([", "])")
                                 : node.kind == NodeKind::op   ? std::pair("[", "]")
                                                               : std::pair("[/", "/]");
      text += fmt::format("    {}{}\"{}<br/>{}\"{}\n", id("n", i), open, mermaid_text(node.name),
                          mermaid_text(node.type), close);
    }
    for (std::size_t i = 0; i < plan.lists.size(); ++i)
      text += fmt::format("    {}[(\"{}<br/>{}\")]\n", id("l", i), mermaid_text(plan.lists[i].name),
                          mermaid_text("list " + plan.lists[i].type));
    for (const auto& edge : edges_of(plan))
      text += edge.port.empty()
                  ? fmt::format("    {} --> {}\n", id("n", edge.from), id("n", edge.to))
                  : fmt::format("    {} -->|\"{}\"| {}\n", id("n", edge.from),
                                mermaid_text(edge.port), id("n", edge.to));
    for (std::size_t i = 0; i < plan.nodes.size(); ++i)
      for (const std::size_t list : asked[i])
        text += fmt::format("    {} -.-> {}\n", id("l", list), id("n", i));
    if (plan.dead_letters)
      text +=
          fmt::format("    d{}{{{{\"dead letters\"}}}} -.-> {}\n", p, id("n", *plan.dead_letters));
    text += "  end\n";
  }
  return text;
}

std::string draw_dot(const Drawn& drawn) {
  std::string text =
      "digraph streamd {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n"
      "  edge [fontname=\"sans-serif\", fontsize=10];\n";
  for (std::size_t p = 0; p < drawn.plans.size(); ++p) {
    const Plan& plan = drawn.plans[p];
    const Asked asked = asked_lists(plan, drawn.documents);
    const auto id = [p](const char* kind, std::size_t i) {
      return fmt::format("{}{}_{}", kind, p, i);
    };
    text +=
        fmt::format("  subgraph cluster_{} {{\n    label=\"{}\";\n", p, dot_text(plan.pipeline));
    for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
      const PlanNode& node = plan.nodes[i];
      const char* shape = node.kind == NodeKind::source ? "cds"
                          : node.kind == NodeKind::op   ? "box"
                                                        : "note";
      text += fmt::format("    {} [label=\"{}\\n{}\", shape={}, tooltip=\"{}\"];\n", id("n", i),
                          dot_text(node.name), dot_text(node.type), shape, kind_name(node.kind));
    }
    for (std::size_t i = 0; i < plan.lists.size(); ++i)
      text += fmt::format("    {} [label=\"{}\\n{}\", shape=cylinder, tooltip=\"list\"];\n",
                          id("l", i), dot_text(plan.lists[i].name), dot_text(plan.lists[i].type));
    for (const auto& edge : edges_of(plan))
      text +=
          fmt::format("    {} -> {}{};\n", id("n", edge.from), id("n", edge.to),
                      edge.port.empty() ? "" : fmt::format(" [label=\"{}\"]", dot_text(edge.port)));
    for (std::size_t i = 0; i < plan.nodes.size(); ++i)
      for (const std::size_t list : asked[i])
        text += fmt::format("    {} -> {} [style=dashed];\n", id("l", list), id("n", i));
    if (plan.dead_letters)
      text += fmt::format(
          "    d{} [label=\"dead letters\", shape=octagon];\n"
          "    d{} -> {} [style=dashed];\n",
          p, p, id("n", *plan.dead_letters));
    text += "  }\n";
  }
  return text + "}\n";
}

}  // namespace streamd
