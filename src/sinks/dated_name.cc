// SPDX-License-Identifier: Apache-2.0
#include "sinks/dated_name.h"

#include <fmt/format.h>

#include <chrono>
#include <iterator>

namespace streamd {
namespace {

// What a percent sign in the value of a field is written as until the dates are there.
constexpr char kNoDate = '\1';

void keep_percent_signs(std::string_view text, std::string& out) {
  for (const char c : text) {
    out += c;
    if (c == '%') out += kNoDate;
  }
}

// From `begin` on; anything else with a percent sign stays as it is.
void put_dates(std::string& text, std::size_t begin, EventTime time) {
  const std::chrono::sys_time<std::chrono::microseconds> at{std::chrono::microseconds(time.micros)};
  const auto midnight = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day day{midnight};
  std::string dated;
  for (std::size_t i = begin; i < text.size(); ++i) {
    const char directive = text[i] == '%' && i + 1 < text.size() ? text[i + 1] : '\0';
    auto out = std::back_inserter(dated);
    switch (directive) {
      case 'Y': fmt::format_to(out, "{:04}", static_cast<int>(day.year())); break;
      case 'm': fmt::format_to(out, "{:02}", static_cast<unsigned>(day.month())); break;
      case 'd': fmt::format_to(out, "{:02}", static_cast<unsigned>(day.day())); break;
      case 'H':
        fmt::format_to(out, "{:02}",
                       std::chrono::duration_cast<std::chrono::hours>(at - midnight).count());
        break;
      case kNoDate: dated += '%'; break;
      default: dated += text[i]; continue;
    }
    ++i;
  }
  text.replace(begin, std::string::npos, dated);
}

}  // namespace

std::optional<DatedName> DatedName::parse(const TemplateText& text, std::string_view what,
                                          Diagnostics& problems) {
  DatedName name;
  name.template_ = expr::Template::parse(text, problems);
  if (!name.template_) return std::nullopt;
  for (const char* directive : {"%Y", "%m", "%d", "%H"})
    name.dated_ = name.dated_ || text.text.find(directive) != std::string::npos;
  const auto prefix = name.template_->literal_prefix();
  if (prefix.empty() || prefix.front() == '%') {
    problems.error(
        "literal-prefix", text.where.place,
        fmt::format("the name of {} must begin with plain text", what),
        "put a prefix in front of it, such as logs-{{ … }}, so that no record can choose "
        "another name");
    return std::nullopt;
  }
  return name;
}

std::string DatedName::beginning() const {
  std::string text(template_->literal_prefix());
  put_dates(text, 0, EventTime{0});
  return text;
}

bool DatedName::bind(const Schema& in, Diagnostics& problems) {
  bound_ = template_->bind(in, problems);
  return bound_.has_value();
}

bool DatedName::render(const Batch& in, std::size_t i, std::string& out, std::string* why) const {
  const std::size_t begin = out.size();
  if (!bound_->render(in, i, out, why, dated_ ? keep_percent_signs : nullptr)) return false;
  if (dated_) put_dates(out, begin, in.time(i));
  return true;
}

}  // namespace streamd
