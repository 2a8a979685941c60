// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/syslog_fields.h"
#include "engine/codec/utf8.h"
#include "operators/parse/format.h"

#include <limits>
#include <utility>

namespace streamd::parse {
namespace {

class SyslogReader final : public Reader {
 public:
  SyslogReader(const std::vector<SyslogField>& fields, const std::string& zone)
      : fields_(fields), parser_(zone) {}

  void read(const std::vector<TextRow>& texts, Cells& cells,
            std::vector<Failure>& failures) override {
    for (std::size_t t = 0; t < texts.size(); ++t) {
      const TextRow& text = texts[t];
      if (text.text.size() > std::numeric_limits<std::uint32_t>::max()) {
        failures.push_back({t, "the text is too long"});
        continue;
      }
      parser_.parse(text.text, text.time, message_);
      if ((message_.flags & (kSyslogNoSyslog | kSyslogEmpty)) != 0) {
        failures.push_back({t, "it is no syslog message: neither a priority nor a stamp"});
        continue;
      }
      if (!is_utf8(text.text)) message_.flags |= kSyslogBadUtf8;
      for (std::size_t f = 0; f < fields_.size(); ++f) {
        const Value value = values_.of(fields_[f], message_, text.time, *cells.arena);
        const bool null = value.is(Kind::missing) && is_null_without(fields_[f]);
        cells.columns[f][text.row] = null ? Value::null() : value;
      }
    }
  }

 private:
  const std::vector<SyslogField>& fields_;
  SyslogParser parser_;
  SyslogValues values_;
  SyslogMessage message_;
};

class SyslogTextFormat final : public Format {
 public:
  explicit SyslogTextFormat(const Config& config) : zone_(config.zone) {
    for (const Field& field : syslog_schema().fields) {
      const SyslogField which = *syslog_field_of(field.name);
      // Only the syslog source knows who sent it.
      if (which == SyslogField::peer) continue;
      which_.push_back(which);
      fields_.push_back({field.name, field.type});
    }
  }
  std::unique_ptr<Reader> reader() const override {
    return std::make_unique<SyslogReader>(which_, zone_);
  }

 private:
  const std::string zone_;
  std::vector<SyslogField> which_;
};

}  // namespace

std::unique_ptr<Format> make_syslog_format(const Config& config) {
  return std::make_unique<SyslogTextFormat>(config);
}

}  // namespace streamd::parse
