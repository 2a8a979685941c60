// SPDX-License-Identifier: Apache-2.0
#include "engine/config/yaml.h"

#include "engine/api/field_type.h"
#include "engine/config/source_lines.h"
#include "engine/config/text_runs.h"
#include "engine/config/yaml_signs.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <unordered_map>

namespace streamd {
namespace {

using Shape = ConfigNode::Shape;

struct Size {
  std::size_t nodes = 0;
  std::size_t depth = 0;
};

Size size_of(const ConfigNode& node) {
  Size size{1, 0};
  const auto add = [&size](const ConfigNode& child) {
    const Size inner = size_of(child);
    size.nodes += inner.nodes;
    size.depth = std::max(size.depth, inner.depth);
  };
  for (const auto& item : node.items) add(item);
  for (const auto& [key, value] : node.entries) {
    add(key);
    add(value);
  }
  ++size.depth;
  return size;
}

// Builds the tree from the parser's events. After a limit is hit it ignores the rest.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, std::uint32_t file, const Surroundings& surroundings,
              Diagnostics& problems)
      : text_(text), lines_(text), file_(file), surroundings_(surroundings), problems_(problems) {}

  ConfigNode& root() { return root_; }
  bool gave_up() const { return gave_up_; }
  // Where the last scalar begins if it is in quotes.
  const std::optional<Place>& last_quoted() const { return last_quoted_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    ConfigNode node;
    node.place = place(mark);
    // Nothing was written: the mark is at whatever comes next, maybe lines below.
    if (!open_.empty()) {
      const Frame& frame = open_.back();
      const Place& before = frame.key ? frame.key->place : frame.node.place;
      if (before.line != node.place.line) node.place = before;
    }
    finish(std::move(node), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    ConfigNode node;
    node.shape = Shape::scalar;
    node.place = place(mark);
    node.quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
    if (!node.quoted) check_tag(tag, node.place);
    node.text = value;
    last_quoted_ = node.quoted ? std::optional(node.place) : std::nullopt;
    locate_text(node);
    const bool is_key =
        !open_.empty() && open_.back().node.shape == Shape::map && !open_.back().key;
    if (is_key) {
      if (surroundings_.variable && value.find("${") != std::string::npos)
        problems_.error("variable", node.place, "variables are not allowed in keys",
                        "use the variable in a value");
    } else {
      put_variables_in(node);
    }
    finish(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (gave_up_) return;
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      give_up("alias", place(mark), "an alias refers to the value that contains it",
              "write the value out instead");
      return;
    }
    if (open_.size() + found->second.size.depth > kMaxYamlDepth) {
      give_up_depth(place(mark));
      return;
    }
    nodes_ += found->second.size.nodes;
    if (nodes_ > kMaxYamlNodes) {
      give_up_size(place(mark));
      return;
    }
    add(ConfigNode(found->second.node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Shape::list, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Shape::map, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    ConfigNode node;
    YAML::anchor_t anchor = 0;
    std::optional<ConfigNode> key;                // of a map, waiting for its value
    std::unordered_map<std::string, Place> seen;  // keys of a map
    std::vector<ConfigNode> merges;               // values of <<
  };
  struct Anchored {
    ConfigNode node;
    Size size;
  };

  Place place(const YAML::Mark& mark) const {
    if (mark.is_null() || mark.line < 0) return {file_, 1, 1, 1};
    return {file_, static_cast<std::uint32_t>(mark.line) + 1,
            static_cast<std::uint32_t>(mark.column) + 1, 1};
  }

  void check_tag(const std::string& tag, const Place& at) {
    if (tag.empty() || tag == "?" || tag == "!" || tag.rfind("tag:yaml.org,2002:", 0) == 0) return;
    problems_.error("yaml-tag", at, "YAML tags are not supported",
                    "remove the word that begins with !");
  }

  // Where its characters stand in the file, and how much of the line to underline.
  void locate_text(ConfigNode& node) {
    const std::string_view line = lines_.line(node.place.line);
    const std::size_t start =
        static_cast<std::size_t>(line.data() - text_.data()) + node.place.column - 1;
    if (line.empty() || start > text_.size()) return;
    node.runs = text_runs(text_.substr(start), node.place, node.text);
    if (node.runs.size() != 1 || node.text.empty()) return;
    const TextRun& run = node.runs[0];
    const std::uint32_t before = run.column - node.place.column;
    if (run.line == node.place.line && before <= 1)  // nothing, or a quote
      node.place.length = static_cast<std::uint32_t>(node.text.size()) + 2 * before;
  }

  void put_variables_in(ConfigNode& node) {
    if (!surroundings_.variable || node.text.find('$') == std::string::npos) return;
    auto resolved = substitute(node.text, surroundings_);
    if (!resolved) {
      problems_.error("variable", node.place, resolved.error().message, resolved.error().hint);
      // Neither empty nor equal to another one: that would be reported as a mistake of its own.
      node.text = fmt::format("unset_{}_{}", node.place.line, node.place.column);
      node.substituted = true;
      return;
    }
    if (resolved->text != node.text) node.runs.clear();
    node.substituted = resolved->changed;
    node.text = std::move(resolved->text);
  }

  void open(Shape shape, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (gave_up_) return;
    check_tag(tag, place(mark));
    if (open_.size() >= kMaxYamlDepth) {
      give_up_depth(place(mark));
      return;
    }
    Frame frame;
    frame.node.shape = shape;
    frame.node.place = place(mark);
    frame.anchor = anchor;
    open_.push_back(std::move(frame));
  }

  void close() {
    if (gave_up_) return;
    Frame frame = std::move(open_.back());
    open_.pop_back();
    for (const auto& merged : frame.merges) merge(merged, frame.node);
    finish(std::move(frame.node), frame.anchor);
  }

  // A key that the map has itself wins over a merged one; an earlier merge over a later one.
  void merge(const ConfigNode& from, ConfigNode& into) {
    if (from.shape == Shape::list) {
      for (const auto& item : from.items) merge(item, into);
      return;
    }
    if (from.shape != Shape::map) {
      problems_.error("merge-key", from.place, "\"<<\" takes a map or a list of maps",
                      "write <<: *name, where &name stands before a map");
      return;
    }
    for (const auto& entry : from.entries)
      if (into.find(entry.first.text) == nullptr) into.entries.push_back(entry);
  }

  void finish(ConfigNode node, YAML::anchor_t anchor) {
    if (gave_up_) return;
    if (++nodes_ > kMaxYamlNodes) {
      give_up_size(node.place);
      return;
    }
    if (anchor != 0) anchors_[anchor] = {node, size_of(node)};
    add(std::move(node));
  }

  void add(ConfigNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = open_.back();
    if (frame.node.shape == Shape::list) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.key) {
      if (node.shape != Shape::scalar) report_key(node);
      frame.key = std::move(node);
    } else {
      add_entry(frame, std::move(node));
    }
  }

  void report_key(const ConfigNode& node) {
    const std::string_view line = lines_.line(node.place.line);
    const std::size_t from = std::min<std::size_t>(node.place.column - 1, line.size());
    const bool hole = from > 0 && line.substr(from - 1, 2) == "{{";
    if (hole)
      problems_.error("yaml-key", {file_, node.place.line, node.place.column - 1, 2},
                      "{{ at the beginning of a text without quotes",
                      "put quotes around the whole text: \"{{ … }} …\"");
    else
      problems_.error("yaml-key", node.place, "a key must be a plain text",
                      "put quotes around it, if it is meant to be a text");
  }

  void add_entry(Frame& frame, ConfigNode value) {
    ConfigNode key = std::move(*frame.key);
    frame.key.reset();
    if (key.shape != Shape::scalar) return;
    if (key.text == "<<" && !key.quoted) {
      if (value.shape == Shape::scalar) value.place = key.place;  // not where the anchor stands
      frame.merges.push_back(std::move(value));
      return;
    }
    const auto [first, is_new] = frame.seen.emplace(key.text, key.place);
    if (!is_new) {
      problems_.error("duplicate-key", key.place,
                      fmt::format("key {} is here twice", json_quote(key.text)),
                      fmt::format("remove one; the first is in line {}", first->second.line));
      return;
    }
    // A map starts for the parser at its first key; for people at the key that it belongs to.
    if (value.shape == Shape::map || value.shape == Shape::list) value.place = key.place;
    frame.node.entries.emplace_back(std::move(key), std::move(value));
  }

  void give_up(std::string code, const Place& at, std::string message, std::string hint = {}) {
    problems_.error(std::move(code), at, std::move(message), std::move(hint));
    gave_up_ = true;
  }
  void give_up_depth(const Place& at) {
    give_up("yaml-limit", at, fmt::format("nested deeper than {} levels", kMaxYamlDepth));
  }
  void give_up_size(const Place& at) {
    give_up("yaml-limit", at,
            fmt::format("more than {} values, aliases written out", kMaxYamlNodes));
  }

  std::string_view text_;
  SourceLines lines_;
  std::uint32_t file_;
  const Surroundings& surroundings_;
  Diagnostics& problems_;
  ConfigNode root_;
  std::vector<Frame> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::size_t nodes_ = 0;
  bool gave_up_ = false;
  std::optional<Place> last_quoted_;
};

void report_syntax(const YAML::Exception& problem, std::string_view text, std::uint32_t file,
                   Diagnostics& problems) {
  // What could not be a key has been told, and everything behind it follows from that.
  const auto& all = problems.all();
  if (std::any_of(all.begin(), all.end(), [&](const Diagnostic& d) {
        return d.code == "yaml-key" && d.place.file == file;
      }))
    return;
  Place at{file, 1, 1, 1};
  if (!problem.mark.is_null() && problem.mark.line >= 0) {
    at.line = static_cast<std::uint32_t>(problem.mark.line) + 1;
    at.column = static_cast<std::uint32_t>(problem.mark.column) + 1;
  }
  SyntaxProblem told = explain_syntax(text, at, problem.msg);
  problems.error("yaml-syntax", told.place, std::move(told.message), std::move(told.hint));
}

// Where a --- stands below something else.
Place second_document(std::string_view text, std::uint32_t file) {
  const SourceLines lines(text);
  bool began = false;
  std::uint32_t number = 0;
  for (std::size_t at = 0; at < text.size();
       at = std::min(text.find('\n', at), text.size() - 1) + 1) {
    const std::string_view line = lines.line(++number);
    const bool separator = line.substr(0, 3) == "---";
    if (separator && began) return {file, number, 1, 3};
    began = began || separator || (!line.empty() && line[0] != '#' && line[0] != '%');
  }
  return {file, 1, 1, 1};
}

// The parser takes a text in quotes that nothing closes for one that ends with the file.
bool check_quote(std::string_view text, const Place& last, Diagnostics& problems) {
  if (is_closed_quote(text, last)) return true;
  problems.error("yaml-syntax", last, "not valid YAML: the text that begins here is not closed",
                 "close it with the quote that it begins with");
  return false;
}

// Reports the first byte that no YAML file has. The parser would guess another encoding instead.
bool check_bytes(std::string_view text, std::uint32_t file, Diagnostics& problems) {
  const auto bad = first_bad_utf8(text);
  if (!bad) return true;
  Place at{file, 1, 1, 1};
  for (const char c : text.substr(0, *bad)) {
    at.column = c == '\n' ? 1 : at.column + 1;
    at.line += c == '\n' ? 1 : 0;
  }
  problems.error("yaml-encoding", at, "not UTF-8 text", "save the file as UTF-8");
  return false;
}

}  // namespace

std::optional<ConfigNode> parse_yaml(std::string_view text, std::uint32_t file,
                                     const Surroundings& surroundings, Diagnostics& problems) {
  if (text.size() > kMaxYamlBytes) {
    problems.error("yaml-limit", {file, 0, 0, 1}, "the file is larger than 1MiB");
    return std::nullopt;
  }
  if (!check_bytes(text, file, problems)) return std::nullopt;
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark)
    text.remove_prefix(kByteOrderMark.size());
  TreeBuilder tree(text, file, surroundings, problems);
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    const bool found = parser.HandleNextDocument(tree);
    if (tree.gave_up()) return std::nullopt;
    if (!found || tree.root().shape == Shape::null) {
      problems.error("empty-file", {file, 1, 1, 1}, "the file is empty",
                     "a pipeline begins with pipeline: name");
      return std::nullopt;
    }
    if (tree.last_quoted() && !check_quote(text, *tree.last_quoted(), problems))
      return std::nullopt;
    ConfigNode root = std::move(tree.root());
    if (parser.HandleNextDocument(tree))
      problems.error("yaml-documents", second_document(text, file),
                     "more than one YAML document in the file",
                     "put each pipeline into a file of its own");
    return root;
  } catch (const YAML::Exception& problem) {
    if (!tree.gave_up()) report_syntax(problem, text, file, problems);
  } catch (const std::exception& problem) {
    problems.error("yaml-syntax", {file, 1, 1, 1},
                   std::string("not valid YAML: ") + problem.what());
  }
  return std::nullopt;
}

}  // namespace streamd
