// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/regex.h"

#include <re2/re2.h>

#include <array>
#include <vector>

namespace streamd::expr {

tl::expected<Regex, Regex::Problem> Regex::compile(std::string_view pattern) {
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(std::int64_t{64} << 20);
  auto compiled =
      std::make_shared<re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!compiled->ok()) return tl::unexpected(Problem{compiled->error(), compiled->error_arg()});
  Regex regex;
  regex.groups_ = static_cast<std::size_t>(compiled->NumberOfCapturingGroups());
  regex.pattern_ = std::move(compiled);
  return regex;
}

bool Regex::search(std::string_view text, std::string_view* groups, std::size_t count) const {
  constexpr std::size_t kFew = 32;
  std::array<re2::StringPiece, kFew> few;
  std::vector<re2::StringPiece> many(count > kFew ? count : 0);
  re2::StringPiece* const found = count > kFew ? many.data() : few.data();
  if (!pattern_->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(),
                       re2::RE2::UNANCHORED, found, static_cast<int>(count)))
    return false;
  for (std::size_t i = 0; i < count; ++i) groups[i] = {found[i].data(), found[i].size()};
  return true;
}

}  // namespace streamd::expr
