// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/csv_cells.h"
#include "engine/codec/url_parts.h"
#include "engine/codec/user_agent.h"
#include "operators/parse/format.h"
#include "operators/parse/pairs.h"

#include <fmt/format.h>

#include <utility>

namespace streamd::parse {
namespace {

void put(std::string_view text, Value& value) {
  if (text.data() != nullptr) value = Value::string(text);
}

class CsvReader final : public RowReader {
 public:
  CsvReader(std::size_t columns, CsvStyle style)
      : RowReader(columns), columns_(columns), style_(style) {}

 protected:
  bool read_row(std::string_view text, Arena& arena, Value* values, std::string& why) override {
    if (!read_csv_cells(text, style_, arena, cells_, why)) return false;
    if (cells_.size() > columns_) {
      why = fmt::format("the row has {} cells, more than the {} columns", cells_.size(), columns_);
      return false;
    }
    for (std::size_t c = 0; c < cells_.size(); ++c) values[c] = Value::string(cells_[c]);
    return true;
  }

 private:
  const std::size_t columns_;
  const CsvStyle style_;
  std::vector<std::string_view> cells_;
};

class CsvFormat final : public Format {
 public:
  explicit CsvFormat(const Config& config) {
    style_.separator = config.separator.empty() ? ',' : config.separator[0];
    style_.quote = config.quote.empty() ? '\0' : config.quote[0];
    for (const std::string& name : config.columns) fields_.push_back({name, Type::string});
  }
  std::unique_ptr<Reader> reader() const override {
    return std::make_unique<CsvReader>(fields_.size(), style_);
  }

 private:
  CsvStyle style_;
};

constexpr std::size_t kUrlParts = 7;

class UrlReader final : public RowReader {
 public:
  UrlReader(bool params, bool decode)
      : RowReader(kUrlParts + (params ? 1 : 0)), params_(params), decode_(decode) {}

 protected:
  bool read_row(std::string_view text, Arena& arena, Value* values, std::string& why) override {
    UrlParts url;
    if (!read_url(text, arena, url, why)) return false;
    if (decode_)
      for (std::string_view* part : {&url.user, &url.path, &url.fragment})
        *part = percent_decoded(*part, false, arena);
    put(url.scheme, values[0]);
    put(url.user, values[1]);
    put(url.host, values[2]);
    if (url.port) values[3] = Value::int64(*url.port);
    put(url.path, values[4]);
    put(url.query, values[5]);
    put(url.fragment, values[6]);
    if (!params_ || url.query.data() == nullptr) return true;
    pairs_.clear();
    if (!read_query(url.query, arena, pairs_)) {
      why = fmt::format("the query has more than {} parameters", kMaxTextPairs);
      return false;
    }
    values[kUrlParts] = object_of(pairs_, arena);
    return true;
  }

 private:
  const bool params_, decode_;
  TextPairs pairs_;
};

class UrlFormat final : public Format {
 public:
  explicit UrlFormat(const Config& config) : params_(config.params), decode_(config.decode) {
    for (const char* name : {"scheme", "user", "host", "port", "path", "query", "fragment"})
      fields_.push_back({name, Type::string});
    fields_[3].type = Type::int64;
    if (params_) fields_.push_back({"params", Type::map});
  }
  std::unique_ptr<Reader> reader() const override {
    return std::make_unique<UrlReader>(params_, decode_);
  }

 private:
  const bool params_, decode_;
};

class UserAgentReader final : public RowReader {
 public:
  UserAgentReader() : RowReader(6) {}

 protected:
  bool read_row(std::string_view text, Arena&, Value* values, std::string&) override {
    const UserAgent agent = read_user_agent(text);
    put(agent.browser, values[0]);
    put(agent.browser_version, values[1]);
    put(agent.os, values[2]);
    put(agent.os_version, values[3]);
    put(agent.device, values[4]);
    values[5] = Value::boolean(agent.bot);
    return true;
  }
};

class UserAgentFormat final : public Format {
 public:
  UserAgentFormat() {
    for (const char* name : {"browser", "browser_version", "os", "os_version", "device"})
      fields_.push_back({name, Type::string});
    fields_.push_back({"bot", Type::boolean});
  }
  std::unique_ptr<Reader> reader() const override { return std::make_unique<UserAgentReader>(); }
};

}  // namespace

std::unique_ptr<Format> make_csv_format(const Config& config) {
  return std::make_unique<CsvFormat>(config);
}
std::unique_ptr<Format> make_url_format(const Config& config) {
  return std::make_unique<UrlFormat>(config);
}
std::unique_ptr<Format> make_user_agent_format() { return std::make_unique<UserAgentFormat>(); }

}  // namespace streamd::parse
