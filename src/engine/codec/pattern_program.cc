// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/pattern_program.h"

#include <algorithm>
#include <utility>

namespace streamd {
namespace {

using Kind = PatternNode::Kind;

constexpr std::size_t kMaxSteps = 8192;

bool can_be_empty(const PatternNode& node) {
  const auto any = [&] { return std::any_of(node.kids.begin(), node.kids.end(), can_be_empty); };
  const auto all = [&] { return std::all_of(node.kids.begin(), node.kids.end(), can_be_empty); };
  switch (node.kind) {
    case Kind::set:
    case Kind::byte: return false;
    case Kind::chain: return all();
    case Kind::choice: return any();
    case Kind::repeat: return node.min == 0 || all();
    case Kind::capture: return all();
    default: return true;
  }
}

// The bytes with which it can begin, as far as it is not empty.
CharSet first_of(const PatternNode& node) {
  CharSet set;
  switch (node.kind) {
    case Kind::set:
      set = node.set;
      if (set.unsure) set.add(0x80, 0xFF);
      break;
    case Kind::byte: set.add(static_cast<unsigned char>(node.byte)); break;
    case Kind::chain:
      for (const PatternNode& kid : node.kids) {
        set.add(first_of(kid));
        if (!can_be_empty(kid)) break;
      }
      break;
    default:
      for (const PatternNode& kid : node.kids) set.add(first_of(kid));
  }
  return set;
}

bool begins_at_begin(const PatternNode& node) {
  if (node.kind == Kind::begin) return true;
  if (node.kind == Kind::chain || node.kind == Kind::capture)
    return begins_at_begin(node.kids.front());
  return node.kind == Kind::choice &&
         std::all_of(node.kids.begin(), node.kids.end(), begins_at_begin);
}

}  // namespace

// From the end to the beginning, so that each step knows what follows it.
class PatternProgram::Compiler {
 public:
  explicit Compiler(PatternProgram& program) : p_(program) {}

  bool run(const PatternNode& root) {
    const std::uint32_t end = add({}, {{}, true});
    p_.entry_ = compile(root, end);
    p_.anchored_ = begins_at_begin(root);
    return good_;
  }

 private:
  std::uint32_t add(Step step, const First& first) {
    if (p_.steps_.size() >= kMaxSteps) {
      good_ = false;
      return 0;
    }
    p_.steps_.push_back(step);
    p_.first_.push_back(first);
    return static_cast<std::uint32_t>(p_.steps_.size() - 1);
  }
  std::uint32_t add_set(const CharSet& set) {
    p_.sets_.push_back(set);
    return static_cast<std::uint32_t>(p_.sets_.size() - 1);
  }
  // Before a node that may be empty: what the node or what follows begins with.
  First joined(const CharSet& set, std::uint32_t next) const {
    First first = p_.first_[next];
    first.set.add(set);
    return first;
  }

  std::uint32_t compile(const PatternNode& node, std::uint32_t next) {
    if (!good_) return next;
    switch (node.kind) {
      case Kind::empty: return next;
      case Kind::set:
        return add({Op::set, false, next, 0, add_set(node.set), 1, 1}, {first_of(node)});
      case Kind::byte: return byte(node, next);
      case Kind::chain:
        for (auto kid = node.kids.rbegin(); kid != node.kids.rend(); ++kid)
          next = compile(*kid, next);
        return next;
      case Kind::choice: return choice(node, next);
      case Kind::repeat: return repeat(node, next);
      case Kind::capture: {
        p_.slots_ = std::max(p_.slots_, 2 * node.group + 2);
        const std::uint32_t end = save(2 * node.group + 1, next);
        return save(2 * node.group, compile(node.kids[0], end));
      }
      case Kind::begin: return edge(Op::begin, next);
      case Kind::end: return edge(Op::end, next);
      case Kind::word_edge: return edge(Op::word_edge, next);
    }
    return next;
  }

  std::uint32_t save(std::uint32_t slot, std::uint32_t next) {
    return add({Op::save, false, next, 0, 0, slot, 0}, First(p_.first_[next]));
  }
  std::uint32_t edge(Op op, std::uint32_t next) {
    return add({op, false, next}, First(p_.first_[next]));
  }

  // Bytes in a row are one step.
  std::uint32_t byte(const PatternNode& node, std::uint32_t next) {
    const Step& behind = p_.steps_[next];
    std::string bytes(1, node.byte);
    std::uint32_t after = next;
    if (behind.op == Op::bytes) {
      bytes += p_.bytes_.substr(behind.set, behind.max);
      after = behind.next;
    }
    const auto begin = static_cast<std::uint32_t>(p_.bytes_.size());
    p_.bytes_ += bytes;
    return add({Op::bytes, false, after, 0, begin, 0, static_cast<std::uint32_t>(bytes.size())},
               {first_of(node)});
  }

  std::uint32_t split(std::uint32_t first, std::uint32_t second) {
    First both = p_.first_[first];
    both.set.add(p_.first_[second].set);
    both.nothing = both.nothing || p_.first_[second].nothing;
    return add({Op::split, false, first, second}, both);
  }
  std::uint32_t choice(const PatternNode& node, std::uint32_t next) {
    std::uint32_t rest = compile(node.kids.back(), next);
    for (auto kid = node.kids.rbegin() + 1; kid != node.kids.rend(); ++kid)
      rest = split(compile(*kid, next), rest);
    return rest;
  }

  std::uint32_t repeat(const PatternNode& node, std::uint32_t next) {
    const PatternNode& kid = node.kids[0];
    if (node.max == 0) return next;
    if (kid.kind == Kind::set ||
        (kid.kind == Kind::byte && static_cast<unsigned char>(kid.byte) < 0x80))
      return run_of(node, first_of(kid), kid, next);
    std::uint32_t rest = next;
    if (node.max == PatternNode::kForever) {
      // An empty round would go on forever, and captures of it are RE2's own business.
      if (can_be_empty(kid)) good_ = false;
      rest = loop(kid, node.greedy, next);
    } else {
      for (std::uint32_t i = node.min; i < node.max && good_; ++i)
        rest = optional(compile(kid, rest), next, node.greedy);
    }
    for (std::uint32_t i = 0; i < node.min && good_; ++i) rest = compile(kid, rest);
    return rest;
  }
  std::uint32_t optional(std::uint32_t inside, std::uint32_t next, bool greedy) {
    return greedy ? split(inside, next) : split(next, inside);
  }
  std::uint32_t loop(const PatternNode& kid, bool greedy, std::uint32_t next) {
    const std::uint32_t head = add({Op::split}, joined(first_of(kid), next));
    if (!good_) return head;
    const std::uint32_t inside = compile(kid, head);
    p_.steps_[head].next = greedy ? inside : next;
    p_.steps_[head].alt = greedy ? next : inside;
    return head;
  }
  std::uint32_t run_of(const PatternNode& node, const CharSet& first, const PatternNode& kid,
                       std::uint32_t next) {
    const First& behind = p_.first_[next];
    Step step{node.greedy ? Op::run : Op::lazy, false, next};
    step.min = node.min;
    step.max = node.max;
    // Nothing that the run takes can begin what follows.
    step.sure = node.greedy && !behind.nothing && !behind.set.meets(first);
    step.set = add_set(kid.kind == Kind::set ? kid.set : first);
    First begin{first, false};
    if (node.min == 0) begin = joined(first, next);
    return add(step, begin);
  }

  PatternProgram& p_;
  bool good_ = true;
};

std::optional<PatternProgram> PatternProgram::compile(std::string_view pattern) {
  const auto tree = read_pattern(pattern);
  if (!tree) return std::nullopt;
  PatternProgram program;
  if (!Compiler(program).run(*tree)) return std::nullopt;
  return program;
}

}  // namespace streamd
