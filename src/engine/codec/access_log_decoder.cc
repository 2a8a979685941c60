// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/access_log_line.h"
#include "engine/codec/decoders.h"
#include "engine/codec/log_format.h"
#include "engine/codec/time_format.h"
#include "engine/codec/utf8.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <optional>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace streamd {
namespace {

enum class How : std::uint8_t {
  text,
  raw_text,
  integer,
  bytes,
  number,
  clf_time,
  iso_time,
  method,
  uri,
  path,
  query,
  protocol,  // parts of $request
};

Type type_of(How how) {
  switch (how) {
    case How::integer:
    case How::bytes: return Type::int64;
    case How::number: return Type::float64;
    case How::clf_time:
    case How::iso_time: return Type::timestamp;
    default: return Type::string;
  }
}

How how_of(std::string_view variable) {
  if (variable == "status" || variable == "request_length") return How::integer;
  if (variable == "body_bytes_sent" || variable == "bytes_sent") return How::bytes;
  if (variable == "request_time" || variable == "msec") return How::number;
  if (variable == "time_local") return How::clf_time;
  if (variable == "time_iso8601") return How::iso_time;
  return variable == "request" ? How::raw_text : How::text;
}

struct Output {
  std::string name;
  std::size_t source;  // which variable or part of the line
  How how;
};

void add_request(std::size_t source, std::vector<Output>& outputs) {
  constexpr std::array<std::pair<std::string_view, How>, 5> kParts = {
      {{"request_method", How::method},
       {"request_uri", How::uri},
       {"path", How::path},
       {"query", How::query},
       {"server_protocol", How::protocol}}};
  for (const auto& [name, how] : kParts) {
    bool there = false;
    for (const Output& o : outputs) there = there || o.name == name;
    if (!there) outputs.push_back({std::string(name), source, how});
  }
}

std::vector<Output> clf_outputs(bool combined) {
  std::vector<Output> out = {{"remote_addr", ClfLine::addr, How::text},
                             {"remote_user", ClfLine::user, How::text},
                             {"time_local", ClfLine::time, How::clf_time},
                             {"request", ClfLine::request, How::raw_text}};
  add_request(ClfLine::request, out);
  out.push_back({"status", ClfLine::status, How::integer});
  out.push_back({"body_bytes_sent", ClfLine::bytes, How::bytes});
  if (combined) {
    out.push_back({"http_referer", ClfLine::referer, How::text});
    out.push_back({"http_user_agent", ClfLine::agent, How::text});
  }
  out.push_back({"vhost", ClfLine::vhost, How::text});
  return out;
}

std::vector<Output> format_outputs(const LogFormat& format) {
  std::vector<Output> out;
  std::optional<std::size_t> request;
  for (std::size_t i = 0; i < format.variables.size(); ++i) {
    const std::string& name = format.variables[i].name;
    bool there = false;
    for (const Output& o : out) there = there || o.name == name;
    if (there) continue;
    out.push_back({name, i, how_of(name)});
    if (name == "request") request = i;
  }
  if (request) add_request(*request, out);
  return out;
}

std::vector<Output> outputs_of(const std::string& format) {
  if (format == "combined" || format == "common") return clf_outputs(format == "combined");
  return format_outputs(parse_log_format(format));
}

// Whether there is a backslash or a byte above 0x7F.
bool needs_care(std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
#if defined(__SSE2__)
  if (text.size() >= 16) {
    const __m128i backslash = _mm_set1_epi8('\\');
    __m128i found = _mm_setzero_si128();
    const auto care = [backslash](const char* at) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
      return _mm_or_si128(bytes, _mm_cmpeq_epi8(bytes, backslash));
    };
    for (; end - p > 16; p += 16) found = _mm_or_si128(found, care(p));
    return _mm_movemask_epi8(_mm_or_si128(found, care(end - 16))) != 0;
  }
#endif
  for (; p != end; ++p) {
    if (*p == '\\' || static_cast<unsigned char>(*p) >= 0x80) return true;
  }
  return false;
}

class AccessLogDecoder final : public Decoder {
 public:
  AccessLogDecoder(const std::string& format, std::vector<std::string> fields)
      : clf_(format == "combined" || format == "common"), width_(fields.size()) {
    if (!clf_) format_ = parse_log_format(format);
    const std::vector<Output> known = outputs_of(format);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      for (const Output& output : known) {
        if (output.name == fields[i]) wanted_.push_back({output, i});
      }
    }
    for (const Wanted& wanted : wanted_) {
      const std::size_t source = wanted.output.source;
      with_tail_ = with_tail_ || source == ClfLine::referer || source == ClfLine::agent;
    }
  }

  void decode(const RawBatch& in, Decoded& out) override {
    prepare(in, width_, out);
    arena_ = out.arena.get();
    for (std::uint32_t r = 0; r < in.records.size(); ++r) {
      if (!to_decode(in.records[r])) continue;
      if (line(in.records[r].data, out)) [[likely]] {
        out.records.push_back(r);
        continue;
      }
      out.bad.push_back({r, code_, std::move(reason_)});
      for (auto& column : out.columns) (*column)[out.records.size()] = Value::missing();
    }
    finish(out);
  }

 private:
  struct Wanted {
    Output output;
    std::size_t column;
  };
  struct ReadTime {
    std::string text;
    Value value;  // missing: it is none
  };

  bool refuse(std::string_view code, std::string reason) {
    code_ = code;
    reason_ = std::move(reason);
    return false;
  }

  bool line(std::string_view text, Decoded& out) {
    if (text.ends_with('\r')) text.remove_suffix(1);
    // A file that was cut while somebody wrote it begins with a hole of zero bytes.
    while (text.starts_with('\0')) text.remove_prefix(1);
    if (text.empty()) return refuse("empty", "the line is empty");
    if (text.size() > std::numeric_limits<std::uint32_t>::max()) {
      return refuse("too-long", fmt::format("{} bytes are too many for one line", text.size()));
    }
    if (!cut(text)) return false;
    split_ = false;
    plain_ = !needs_care(text);
    const std::string_view* const sources = clf_ ? parts_.part.data() : values_.data();
    const std::size_t row = out.records.size();
    for (const Wanted& wanted : wanted_) {
      const std::string_view source = sources[wanted.output.source];
      if (source.data() == nullptr) continue;
      if (!convert(wanted.output.how, source, (*out.columns[wanted.column])[row])) {
        return refuse("bad-line", fmt::format("{} is no {} at byte {}", wanted.output.name,
                                              type_name(type_of(wanted.output.how)),
                                              source.data() - text.data()));
      }
    }
    return true;
  }

  bool cut(std::string_view text) {
    std::size_t at = 0;
    std::string_view why;
    if (clf_) {
      if (parse_clf_line(text, with_tail_, parts_, why, at)) return true;
      return refuse("bad-line", fmt::format("{}, at byte {}", why, at));
    }
    if (cut_line(format_, text, values_, at, why)) return true;
    return refuse("bad-line", fmt::format("expected \"{}\" behind byte {}", why, at));
  }

  bool convert(How how, std::string_view text, Value& value) {
    const bool absent = text == "-";
    switch (how) {
      case How::text: value = absent ? Value::null() : string(text); return true;
      case How::raw_text: value = string(text); return true;
      case How::bytes:
      case How::integer:
        if (absent || text.empty()) {
          value = how == How::bytes ? Value::int64(0) : Value::null();
          return true;
        }
        return integer(text, value);
      case How::number: return number(text, value);
      case How::clf_time:
      case How::iso_time: return time(how, text, value);
      default: return request_part(how, text, value);
    }
  }

  // Undoes the server's escapes. What is no UTF-8 then stays as it was logged; bytes that the
  // server should have escaped but did not become U+FFFD.
  Value string(std::string_view text) {
    if (plain_ || !needs_care(text)) [[likely]]
      return Value::string(text);
    if (!is_utf8(text)) {
      scratch_.clear();
      append_repaired_utf8(text, scratch_);
      return Value::string(arena_->copy(scratch_));
    }
    char* const to = arena_->allocate(text.size());
    const std::string_view plain(to, unescape_log(text, to));
    return Value::string(is_utf8(plain) ? plain : text);
  }

  static bool integer(std::string_view text, Value& value) {
    std::int64_t i = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), i);
    value = Value::int64(i);
    return error == std::errc() && end == text.data() + text.size();
  }

  static bool number(std::string_view text, Value& value) {
    value = Value::null();
    if (text == "-" || text.empty()) return true;
    double d = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), d);
    value = Value::float64(d);
    return error == std::errc() && end == text.data() + text.size();
  }

  // Most lines are of a second that was there just before.
  bool time(How how, std::string_view text, Value& value) {
    const std::size_t last_digit = how == How::clf_time ? 19 : 18;
    ReadTime& last = times_[last_digit < text.size() ? text[last_digit] & 0xF : 0];
    if (text != last.text) {
      std::optional<EventTime> found;
      if (how == How::clf_time) {
        found = parse_clf_time(text);
      } else if (const auto parsed = parse_rfc3339(text)) {
        found = parsed->time;
      }
      last.text = text;
      last.value = found ? Value::timestamp(*found) : Value::missing();
    }
    value = last.value;
    return !value.is(Kind::missing);
  }

  bool request_part(How how, std::string_view request, Value& value) {
    if (!split_) {
      parsed_ = split_request(request);
      split_ = true;
    }
    const std::string_view part = how == How::method  ? parsed_.method
                                  : how == How::uri   ? parsed_.uri
                                  : how == How::path  ? parsed_.path
                                  : how == How::query ? parsed_.query
                                                      : parsed_.protocol;
    if (part.data() != nullptr) value = string(part);
    return true;
  }

  bool clf_;
  bool with_tail_ = false;
  std::size_t width_;
  LogFormat format_;
  std::vector<Wanted> wanted_;
  std::string scratch_;
  std::array<ReadTime, 16> times_;  // by the last digit of the second

  // The line at hand.
  Arena* arena_ = nullptr;
  ClfLine parts_;
  std::vector<std::string_view> values_;
  RequestLine parsed_;
  bool split_ = false;
  bool plain_ = false;  // no part of it needs care
  std::string_view code_;
  std::string reason_;
};

}  // namespace

Schema access_log_schema(const std::string& format) {
  Schema schema;
  for (const Output& output : outputs_of(format)) {
    schema.fields.push_back({output.name, type_of(output.how)});
  }
  return schema;
}

std::unique_ptr<Decoder> make_access_log_decoder(const std::string& format,
                                                 std::vector<std::string> fields) {
  return std::make_unique<AccessLogDecoder>(format, std::move(fields));
}

}  // namespace streamd
