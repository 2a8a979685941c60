// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/update.h"

#include "engine/expr/json_reader.h"
#include "engine/testing/json_text.h"
#include "engine/testing/rows.h"
#include "engine/testing/yaml_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace streamd::testing {
namespace {

using Shape = ConfigNode::Shape;

constexpr std::size_t kWidest = 100;

// The fields of a row to write: those that are named, or all of them.
std::string row_yaml(const Value& row, const std::vector<std::string>& named) {
  std::string out;
  const auto add = [&](std::string_view name, const Value& value) {
    if (value.is(Kind::missing)) return;
    out += (out.empty() ? "" : ", ") + flow_key(name) + ": " + flow_yaml(value);
  };
  for (const auto& name : named) {
    Value value = expr::member(row, name);
    if (value.is(Kind::missing)) value = expr::at_path(row, name);
    add(name, value);
  }
  if (out.empty() && row.is(Kind::map))
    for (std::uint32_t i = 0; i < row.size(); ++i)
      add(row.items()[2 * i].text(), row.items()[2 * i + 1]);
  return "{" + out + "}";
}

std::vector<std::string> names_of(const ConfigNode& row) {
  std::vector<std::string> names;
  for (const auto& entry : row.entries) names.push_back(entry.first.text);
  return names;
}

// Rewrites the rows of one place, or what it sends.
class RowEdits {
 public:
  RowEdits(const YamlText& yaml, const Look& look, const std::vector<ConfigNode>& expected,
           const std::vector<std::string>& came, std::vector<Edit>& edits)
      : yaml_(yaml),
        look_(look),
        expected_(expected),
        edits_(edits),
        actual_(read_rows(came, 0, arena_)) {}

  // Empty: done. Otherwise why it can't be.
  std::string rewrite(const ConfigNode& key, const ConfigNode& list) {
    const Expected& expected = *look_.expected;
    pairs_ = pair_rows(expected_, actual_, expected.exact, expected.in_order);
    if (std::all_of(pairs_.begin(), pairs_.end(), [](const Pair& p) { return p.equal; })) return {};
    auto at = yaml_.list_of(key, list);
    if (!at) return "it is written in a way that --update does not know";
    at_ = std::move(*at);
    if (!expected.exact)
      for (const auto& row : expected_)
        for (auto& name : names_of(row))
          if (std::find(named_.begin(), named_.end(), name) == named_.end())
            named_.push_back(std::move(name));
    const std::size_t kept = static_cast<std::size_t>(std::count_if(
        pairs_.begin(), pairs_.end(), [](const Pair& p) { return p.expected && p.actual; }));
    if (kept == 0 || (expected.in_order && moved()))
      write_whole();
    else
      edit_items();
    return {};
  }

 private:
  // In order: something is to be put in between, or comes in another order.
  bool moved() const {
    std::optional<std::size_t> last;
    for (const auto& pair : pairs_) {
      if (!pair.actual) continue;
      if (last && *pair.actual < *last) return true;
      last = pair.actual;
    }
    return false;
  }

  std::string text_of(const Span& span) const {
    return std::string(yaml_.text().substr(span.begin, span.end - span.begin));
  }

  // As it stands, where it is right; one that is not, with the fields that it names.
  std::string item_text(const Pair& pair) const {
    if (pair.equal && text_of(at_.items[*pair.expected]).front() == '{')
      return text_of(at_.items[*pair.expected]);
    const Expected& expected = *look_.expected;
    std::vector<std::string> named = named_;
    if (pair.expected && !expected.exact) named = names_of(expected_[*pair.expected]);
    return row_yaml(actual_[*pair.actual], named);
  }

  void write_whole() {
    std::vector<std::pair<std::size_t, std::string>> rows;
    for (const auto& pair : pairs_)
      if (pair.actual) rows.emplace_back(*pair.actual, item_text(pair));
    if (look_.expected->in_order || pairs_.empty()) std::sort(rows.begin(), rows.end());
    std::string flow;
    for (const auto& [number, text] : rows) flow += (flow.empty() ? "" : ", ") + text;
    const bool wide = at_.key_column + flow.size() + look_.place.size() + 4 > kWidest;
    if (rows.empty() || !at_.key_starts_line || (at_.flow && !wide)) {
      replace(at_.flow ? "[" + flow + "]" : " [" + flow + "]");
      return;
    }
    const std::size_t column = at_.flow ? at_.key_column + 2 : at_.dash_column;
    std::string block;
    for (const auto& [number, text] : rows) block += "\n" + std::string(column, ' ') + "- " + text;
    // Behind the colon stood a blank before a flow list.
    edits_.push_back({{at_.flow ? at_.after_key : at_.all.begin, at_.all.end}, block});
  }

  void replace(const std::string& text) {
    edits_.push_back({{at_.flow ? at_.all.begin : at_.after_key, at_.all.end}, text});
  }

  void edit_items() {
    std::size_t last_kept = 0;
    for (const auto& pair : pairs_)
      if (pair.expected && pair.actual) last_kept = std::max(last_kept, *pair.expected);
    for (const auto& pair : pairs_) {
      if (pair.equal) continue;
      if (!pair.expected)
        append(last_kept, item_text(pair));
      else if (!pair.actual)
        remove(*pair.expected, last_kept);
      else if (!edit_fields(pair))
        edits_.push_back({at_.items[*pair.expected], item_text(pair)});
    }
  }

  // Only the values that differ, if that is all there is to do.
  bool edit_fields(const Pair& pair) {
    std::vector<Edit> own;
    const auto found =
        differences(expected_[*pair.expected], actual_[*pair.actual], look_.expected->exact);
    for (const auto& d : found) {
      if (d.expected == nullptr || d.actual.is(Kind::missing)) return false;
      const auto span = yaml_.scalar(*d.expected);
      if (!span || span->begin < at_.items[*pair.expected].begin ||
          span->end > at_.items[*pair.expected].end)
        return false;
      own.push_back({*span, flow_yaml(d.actual)});
    }
    edits_.insert(edits_.end(), own.begin(), own.end());
    return true;
  }

  void append(std::size_t last_kept, const std::string& text) {
    const std::size_t end = at_.items[last_kept].end;
    if (at_.flow) {
      edits_.push_back({{end, end}, ", " + text});
      return;
    }
    // Behind a comment that stands on the item's last line.
    const std::size_t line_end = yaml_.line_at(end == 0 ? 0 : end - 1).end;
    edits_.push_back(
        {{line_end, line_end}, "\n" + std::string(at_.dash_column, ' ') + "- " + text});
  }

  void remove(std::size_t item, std::size_t last_kept) {
    const Span& span = at_.items[item];
    if (at_.flow) {
      if (item < last_kept)
        edits_.push_back({{span.begin, at_.items[item + 1].begin}, ""});
      else
        edits_.push_back({{at_.items[item - 1].end, span.end}, ""});
      return;
    }
    const std::size_t begin = yaml_.line_at(span.begin).begin;
    const std::size_t end = yaml_.line_at(span.end - 1).end;
    const std::size_t next = std::min(yaml_.text().find('\n', end), yaml_.text().size() - 1) + 1;
    edits_.push_back({{begin, next}, ""});
  }

  const YamlText& yaml_;
  const Look& look_;
  const std::vector<ConfigNode>& expected_;
  std::vector<Edit>& edits_;
  Arena arena_;
  std::vector<Value> actual_;
  std::vector<Pair> pairs_;
  YamlText::ListAt at_;
  std::vector<std::string> named_;
};

class Updater {
 public:
  explicit Updater(std::string_view text) : yaml_(text) {}

  void look(const Look& look) {
    if (look.expected == nullptr) {
      update_.left.push_back(fmt::format(
          "{}: rows came after the case had looked at it last; add an expect", look.place));
      return;
    }
    const std::size_t before = edits_.size();
    if (look.expected->rows) rows(look, *look.expected->rows, look.rows, "rows");
    if (look.expected->sent) rows(look, *look.expected->sent, look.sent, "sent");
    numbers(look);
    if (edits_.size() > before) ++update_.changed;
  }

  Update finish() {
    auto text = apply(yaml_.text(), std::move(edits_));
    if (text) {
      update_.text = std::move(*text);
    } else {
      update_.text = std::string(yaml_.text());
      update_.changed = 0;
      update_.left.emplace_back("several expectations stand at one place (an alias?)");
    }
    return std::move(update_);
  }

 private:
  void rows(const Look& look, const std::vector<ConfigNode>& expected,
            const std::vector<std::string>& came, std::string_view below) {
    const ConfigNode& where = look.expected->where;
    ConfigNode key;
    key.text = look.place;
    key.place = look.name_place;
    const ConfigNode* list = &where;
    if (where.shape == Shape::map)
      for (const auto& [name, value] : where.entries)
        if (name.text == below) {
          key = name;
          list = &value;
        }
    RowEdits edits(yaml_, look, expected, came, edits_);
    if (const auto why = edits.rewrite(key, *list); !why.empty())
      update_.left.push_back(fmt::format("{}: {}", look.place, why));
  }

  void number(const Look& look, const ConfigNode* node, std::uint64_t actual) {
    if (node == nullptr || node->text == std::to_string(actual)) return;
    if (const auto span = yaml_.scalar(*node))
      edits_.push_back({*span, std::to_string(actual)});
    else
      update_.left.push_back(fmt::format("{}: a number that stands elsewhere", look.place));
  }

  void numbers(const Look& look) {
    const ConfigNode& where = look.expected->where;
    if (where.shape == Shape::scalar) return number(look, &where, look.rows.size());
    if (where.shape != Shape::map) return;
    number(look, where.find("count"), look.rows.size());
    number(look, where.find("in"), look.books.in);
    number(look, where.find("out"), look.books.out);
    number(look, where.find("dead_letters"), look.books.dead_letters);
    number(look, where.find("failed"), look.books.failed);
    number(look, where.find("clamped"), look.books.clamped);
    if (const ConfigNode* dropped = where.find("dropped"))
      for (std::size_t r = 0; r < kDropReasons; ++r)
        number(look, dropped->find(kDropReasonNames[r]), look.books.dropped[r]);
  }

  YamlText yaml_;
  std::vector<Edit> edits_;
  Update update_;
};

}  // namespace

Update update_expectations(std::string_view text, const std::vector<const CaseRun*>& runs) {
  Updater updater(text);
  for (const CaseRun* run : runs)
    for (const auto& look : run->looks) updater.look(look);
  return updater.finish();
}

}  // namespace streamd::testing
