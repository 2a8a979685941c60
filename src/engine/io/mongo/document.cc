// SPDX-License-Identifier: Apache-2.0
#include "engine/io/mongo/document.h"

#include "engine/codec/time_format.h"
#include "engine/codec/utf8.h"
#include "engine/io/mongo/bson_bytes.h"
#include "engine/io/mongo/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

namespace streamd::mongo {
namespace {

constexpr std::string_view kDot = "\xEF\xBC\x8E";     // U+FF0E
constexpr std::string_view kDollar = "\xEF\xBC\x84";  // U+FF04
constexpr std::size_t kShownKey = 100;
// Up to so many members each is compared with each.
constexpr std::size_t kFewMembers = 24;

std::string shown(std::string_view key) {
  const std::string_view begin = key.substr(0, kShownKey);
  return fmt::format("\"{}\"{}", begin.substr(0, valid_utf8_prefix(begin)),
                     begin.size() < key.size() ? "…" : "");
}

class Converter {
 public:
  Converter(std::string_view json, const DocumentRules& rules, std::string& out)
      : text_(json), rules_(rules), out_(out), start_(out.size()) {}

  std::optional<DocumentFault> run(std::string_view id) {
    if (!is_utf8(text_.rest())) return DocumentFault{"bad-utf8", "the document is no valid UTF-8"};
    text_.skip_space();
    if (text_.peek() != '{')
      fail("bad-json", "the document is no JSON object");
    else if (object(1, &id) && (text_.skip_space(), !text_.at_end()))
      fail("bad-json", "there is more text behind the object");
    return std::move(fault_);
  }

 private:
  struct Member {
    std::size_t begin;  // of its type byte
    std::size_t key_size;
  };

  bool fail(const char* code, std::string reason) {
    if (!fault_) fault_ = DocumentFault{code, std::move(reason)};
    return false;
  }
  bool broken() {
    return fail("bad-json", fmt::format("the JSON text is broken at byte {}", text_.offset()));
  }

  bool value(std::size_t type_at, int depth) {
    if (out_.size() - start_ > kLargestDocument)
      return fail("too-large", "as BSON the document is larger than 16 MiB");
    const char first = text_.peek();
    if (depth > kDeepestDocument && (first == '[' || first == '{'))
      return fail("too-deep", fmt::format("it is nested deeper than {} levels", kDeepestDocument));
    if (first == '[') return set_type(type_at, Bson::array), array(depth);
    const DatePath* date = rules_.dates.empty() ? nullptr : date_here();
    if (first == '"') return text(type_at, date);
    if (first == 'n') return set_type(type_at, Bson::null), text_.word("null") || broken();
    if (date != nullptr && date->required)
      return fail("bad-time", fmt::format("{} is no text in RFC 3339", shown(date->path)));
    switch (first) {
      case '{': return set_type(type_at, Bson::document), object(depth, nullptr);
      case 't': return truth(type_at, true);
      case 'f': return truth(type_at, false);
      default: return number(type_at);
    }
  }

  void set_type(std::size_t at, Bson type) { out_[at] = static_cast<char>(type); }

  bool truth(std::size_t type_at, bool is) {
    set_type(type_at, Bson::boolean);
    out_.push_back(is ? '\1' : '\0');
    return text_.word(is ? "true" : "false") || broken();
  }

  bool number(std::size_t type_at) {
    bool integral = false;
    const std::string_view digits = text_.number(integral);
    if (digits.empty()) return broken();
    const char* end = digits.data() + digits.size();
    std::int64_t i = 0;
    double d = 0;
    if (integral && std::from_chars(digits.data(), end, i).ec == std::errc()) {
      set_type(type_at, Bson::int64);
      append_little_endian(i, out_);
    } else if (!integral && std::from_chars(digits.data(), end, d).ec == std::errc() &&
               std::isfinite(d)) {
      set_type(type_at, Bson::float64);
      append_little_endian(d, out_);
    } else {
      set_type(type_at, Bson::string);
      append_text(digits, out_);
    }
    return true;
  }

  bool text(std::size_t type_at, const DatePath* date) {
    set_type(type_at, Bson::string);
    const std::size_t at = open_length(out_);
    if (!text_.string(out_)) return broken();
    if (date == nullptr) {
      close_text(at, out_);
      return true;
    }
    const auto time = parse_rfc3339(std::string_view(out_).substr(at + 4));
    if (!time && date->required)
      return fail("bad-time",
                  fmt::format("{} holds {}, which is no time in RFC 3339", shown(date->path),
                              shown(std::string_view(out_).substr(at + 4))));
    if (!time) {
      close_text(at, out_);
      return true;
    }
    set_type(type_at, Bson::date);
    out_.resize(at);
    const std::int64_t micros = time->time.micros;
    append_little_endian(micros / 1000 - (micros % 1000 < 0 ? 1 : 0), out_);
    return true;
  }

  bool array(int depth) {
    text_.take();
    const std::size_t at = open_length(out_);
    text_.skip_space();
    if (!text_.accept(']')) {
      std::size_t index = 0;
      do {
        text_.skip_space();
        const std::size_t type_at = out_.size();
        fmt::format_to(std::back_inserter(out_), "?{}", index++);
        out_.push_back('\0');
        if (!value(type_at, depth + 1)) return false;
        text_.skip_space();
      } while (text_.accept(','));
      if (!text_.accept(']')) return broken();
    }
    close_document(at, out_);
    return true;
  }

  // id: of the outermost object.
  bool object(int depth, const std::string_view* id) {
    text_.take();
    const std::size_t at = open_length(out_);
    if (id != nullptr) {
      out_.push_back(static_cast<char>(Bson::string));
      out_.append("_id", 4);
      append_text(*id, out_);
    }
    const std::size_t mark = members_.size();
    text_.skip_space();
    if (!text_.accept('}')) {
      do {
        if (!member(depth, id != nullptr)) return false;
        text_.skip_space();
      } while (text_.accept(','));
      if (!text_.accept('}')) return broken();
    }
    keep_last_of_each(mark);
    members_.resize(mark);
    close_document(at, out_);
    return true;
  }

  bool member(int depth, bool outermost) {
    text_.skip_space();
    key_.clear();
    if (!text_.string(key_)) return broken();
    text_.skip_space();
    if (!text_.accept(':')) return broken();
    text_.skip_space();
    const bool gives_way = outermost && key_ == "_id";
    const Member member{out_.size(), append_key()};
    if (fault_) return false;
    const std::size_t above = path_.size();
    if (!rules_.dates.empty()) {
      if (!outermost) path_ += '.';
      path_ += key_;
    }
    if (!value(member.begin, depth + 1)) return false;
    path_.resize(above);
    if (gives_way)
      out_.resize(member.begin);
    else
      members_.push_back(member);
    return true;
  }

  // The type byte, the key and its end; returns the key's size.
  std::size_t append_key() {
    out_.push_back('?');
    const std::size_t at = out_.size();
    for (std::size_t i = 0; i < key_.size(); ++i) {
      const char c = key_[i];
      const bool dollar = c == '$' && i == 0;
      if (c == '\0') fail("bad-key", fmt::format("the key {} has a NUL", shown(key_)));
      if (c != '.' && !dollar) {
        out_.push_back(c);
      } else {
        out_ += dollar ? kDollar : kDot;
        if (rules_.bad_keys == BadKeys::reject)
          fail("bad-key", fmt::format("the key {} {}", shown(key_),
                                      dollar ? "begins with a dollar sign" : "has a dot"));
      }
    }
    const std::size_t size = out_.size() - at;
    out_.push_back('\0');
    return size;
  }

  std::string_view key_of(const Member& member) const {
    return std::string_view(out_).substr(member.begin + 1, member.key_size);
  }

  // Of the members from `mark` on, which end where out_ ends now.
  void keep_last_of_each(std::size_t mark) {
    const std::vector<std::size_t> dead = repeated(mark);
    if (dead.empty()) return;
    std::string kept;
    for (std::size_t i = mark, d = 0; i < members_.size(); ++i) {
      if (d < dead.size() && dead[d] == i) {
        ++d;
        continue;
      }
      const std::size_t end = i + 1 < members_.size() ? members_[i + 1].begin : out_.size();
      kept.append(out_, members_[i].begin, end - members_[i].begin);
    }
    out_.resize(members_[mark].begin);
    out_ += kept;
  }

  // Members, ascending, whose key comes again later.
  std::vector<std::size_t> repeated(std::size_t mark) const {
    std::vector<std::size_t> dead;
    if (members_.size() - mark <= kFewMembers) {
      for (std::size_t i = mark; i < members_.size(); ++i)
        for (std::size_t j = i + 1; j < members_.size(); ++j)
          if (members_[i].key_size == members_[j].key_size &&
              key_of(members_[i]) == key_of(members_[j])) {
            dead.push_back(i);
            break;
          }
      return dead;
    }
    std::vector<std::size_t> order;
    for (std::size_t i = mark; i < members_.size(); ++i) order.push_back(i);
    std::stable_sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
      return key_of(members_[a]) < key_of(members_[b]);
    });
    for (std::size_t i = 0; i + 1 < order.size(); ++i)
      if (key_of(members_[order[i]]) == key_of(members_[order[i + 1]])) dead.push_back(order[i]);
    std::sort(dead.begin(), dead.end());
    return dead;
  }

  const DatePath* date_here() const {
    for (const auto& date : rules_.dates)
      if (date.path == path_) return &date;
    return nullptr;
  }

  JsonText text_;
  const DocumentRules& rules_;
  std::string& out_;
  const std::size_t start_;
  std::string key_, path_;
  std::vector<Member> members_;  // of all open objects
  std::optional<DocumentFault> fault_;
};

}  // namespace

std::optional<DocumentFault> append_document(std::string_view json, std::string_view id,
                                             const DocumentRules& rules, std::string& out) {
  const std::size_t start = out.size();
  auto fault = Converter(json, rules, out).run(id);
  if (!fault && out.size() - start > kLargestDocument)
    return DocumentFault{"too-large", fmt::format("as BSON the document has {} bytes, more than "
                                                  "16 MiB",
                                                  out.size() - start)};
  return fault;
}

}  // namespace streamd::mongo
