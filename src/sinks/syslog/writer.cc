// SPDX-License-Identifier: Apache-2.0
#include "sinks/syslog/writer.h"

#include "engine/api/field_paths.h"
#include "engine/codec/syslog_message.h"
#include "engine/codec/time_format.h"
#include "engine/expr/time_text.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>

namespace streamd::syslog_out {
namespace {

// How long RFC 5424 lets them be.
constexpr std::size_t kHost = 255, kApp = 48, kProcid = 128, kMsgid = 32;

int number_of(std::string_view text, int (*by_name)(std::string_view), int most) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size())
    return number >= 0 && number <= most ? number : -1;
  return by_name(text);
}

void check_plain(const TemplateText& text, const std::optional<expr::Template>& parsed,
                 const char* what, const char* names, int (*by_name)(std::string_view), int most,
                 Diagnostics& problems) {
  if (!parsed || !parsed->literal() || number_of(parsed->literal_prefix(), by_name, most) >= 0)
    return;
  const bool secret = text.where.substituted;
  problems.error("bad-value", text.where.place,
                 secret ? fmt::format("{}: no such {}", what, what)
                        : fmt::format("\"{}\" is no {}", parsed->literal_prefix(), what),
                 fmt::format("Use {} or a number from 0 to {}.", names, most));
}

void append_escaped(std::string_view value, std::string& out) {
  for (const char c : value) {
    if (c == '"' || c == '\\' || c == ']') out += '\\';
    out += c;
  }
}

// What a message lacks that is passed on: nothing, and not the word null.
void append_unless_null(std::string_view text, std::string& out) {
  if (text != "null") out += text;
}

}  // namespace

Templates Templates::parse(const Config& config, Diagnostics& problems) {
  Templates out;
  const auto one = [&](const TemplateText& text, std::optional<expr::Template>& into) {
    into = expr::Template::parse(text, problems);
  };
  one(config.facility, out.facility);
  one(config.severity, out.severity);
  one(config.app, out.app);
  if (config.message) one(*config.message, out.message);
  if (config.host) one(*config.host, out.host);
  if (config.procid) one(*config.procid, out.procid);
  if (config.msgid) one(*config.msgid, out.msgid);
  check_plain(config.facility, out.facility, "facility",
              "kern, user, daemon, auth, local0 to local7", syslog_facility_of, 23, problems);
  check_plain(config.severity, out.severity, "severity",
              "emerg, alert, crit, err, warning, notice, info, debug", syslog_severity_of, 7,
              problems);
  return out;
}

void Templates::needs(const Config& config, Needs& into) const {
  into.whole = !message;
  for (const auto* one : {&message, &facility, &severity, &host, &app, &procid, &msgid})
    if (*one) (*one)->fields(into.fields);
  for (const auto& [id, fields] : config.structured_data)
    into.fields.insert(fields.begin(), fields.end());
}

std::shared_ptr<const MessageWriter> MessageWriter::bind(const Config& config,
                                                         const Templates& templates,
                                                         const Schema& in, Place place,
                                                         std::string local_host,
                                                         Diagnostics& problems) {
  auto out = std::make_shared<MessageWriter>();
  out->format_ = config.format;
  out->one_line_ = config.to.stream() && config.framing == Framing::lf;
  out->local_ = config.format == Format::rfc3164 && !config.to.path.empty() && !config.host;
  out->zone_ = config.zone;
  out->local_host_ = std::move(local_host);
  const auto one = [&](const std::optional<expr::Template>& from, Text& into) {
    if (from) into = from->bind(in, problems);
  };
  one(templates.message, out->message_);
  one(templates.facility, out->facility_);
  one(templates.severity, out->severity_);
  one(templates.host, out->host_);
  one(templates.app, out->app_);
  one(templates.procid, out->procid_);
  one(templates.msgid, out->msgid_);
  if (!templates.message) out->json_ = std::make_shared<const JsonEncoder>(in);
  for (const auto& [id, fields] : config.structured_data) {
    Element element{id, {}};
    for (const auto& field : fields) {
      require_field(in, field, place, problems);
      if (const auto column = in.find(field)) element.params.push_back({field, *column});
    }
    out->elements_.push_back(std::move(element));
  }
  return out;
}

bool MessageWriter::number(const expr::BoundTemplate& of, const Batch& batch, std::size_t i,
                           int (*by_name)(std::string_view), int most, int& into,
                           Scratch& scratch) const {
  scratch.part.clear();
  if (!of.render(batch, i, scratch.part, &scratch.why)) return false;
  into = number_of(scratch.part, by_name, most);
  if (into >= 0) return true;
  scratch.why =
      fmt::format("\"{}\" is neither a name nor a number from 0 to {}", scratch.part, most);
  return false;
}

// A field of the header: printable ASCII, never empty.
bool MessageWriter::word(const Text& of, const Batch& batch, std::size_t i, std::size_t most,
                         std::string_view otherwise, std::string& out, Scratch& scratch) const {
  scratch.part = otherwise;
  if (of) {
    scratch.part.clear();
    if (!of->render(batch, i, scratch.part, &scratch.why, append_unless_null)) return false;
  }
  if (scratch.part.empty()) {
    out += '-';
    return true;
  }
  for (const char c : std::string_view(scratch.part).substr(0, most))
    out += c > ' ' && c < 0x7F ? c : '?';
  return true;
}

void MessageWriter::data(const Batch& batch, std::size_t i, std::string& out,
                         Scratch& scratch) const {
  if (elements_.empty()) out += '-';
  for (const Element& element : elements_) {
    out += '[';
    out += element.id;
    for (const Param& param : element.params) {
      const Value& value = batch.at(param.column, i);
      scratch.part.clear();
      if (value.absent() || !expr::append_printed(value, scratch.part)) continue;
      out += ' ';
      out += param.name;
      out += "=\"";
      append_escaped(scratch.part, out);
      out += '"';
    }
    out += ']';
  }
}

void MessageWriter::stamp(EventTime time, std::string& out) const {
  if (format_ == Format::rfc5424) return format_rfc3339(time, 0, out);
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const auto t = expr::civil_time(time, zone_).value_or(expr::CivilTime{});
  fmt::format_to(std::back_inserter(out), "{} {:>2} {:02}:{:02}:{:02}",
                 kMonths.substr(static_cast<std::size_t>(t.month - 1) * 3, 3), t.day, t.hour,
                 t.minute, t.second);
}

std::optional<Fault> MessageWriter::write(const Batch& batch, std::size_t i, std::string& out,
                                          Scratch& scratch) const {
  int facility = 0, severity = 0;
  if (!number(*facility_, batch, i, syslog_facility_of, 23, facility, scratch))
    return Fault{"facility", scratch.why};
  if (!number(*severity_, batch, i, syslog_severity_of, 7, severity, scratch))
    return Fault{"severity", scratch.why};
  const bool modern = format_ == Format::rfc5424;
  const std::size_t begin = out.size();
  fmt::format_to(std::back_inserter(out), "<{}>{}", facility * 8 + severity, modern ? "1 " : "");
  stamp(batch.time(i), out);
  out += ' ';
  bool good = local_ || word(host_, batch, i, kHost, local_host_, out, scratch);
  if (!local_) out += ' ';
  good = good && word(app_, batch, i, kApp, {}, out, scratch);
  if (modern) {
    out += ' ';
    good = good && word(procid_, batch, i, kProcid, {}, out, scratch);
    out += ' ';
    good = good && word(msgid_, batch, i, kMsgid, {}, out, scratch);
    out += ' ';
    data(batch, i, out, scratch);
  } else {
    if (procid_) {
      const std::size_t before = out.size();
      out += '[';
      good = good && word(procid_, batch, i, kProcid, {}, out, scratch);
      out += ']';
      if (std::string_view(out).substr(before) == "[-]") out.resize(before);
    }
    out += ':';
  }
  out += ' ';
  if (good && message_) good = message_->render(batch, i, out, &scratch.why);
  if (!good) return Fault{"template", scratch.why};
  if (!message_) json_->append(batch, i, out);
  if (one_line_) {
    for (std::size_t at = begin; at < out.size(); ++at)
      if (out[at] == '\n' || out[at] == '\r' || out[at] == '\0') out[at] = ' ';
  }
  return std::nullopt;
}

}  // namespace streamd::syslog_out
