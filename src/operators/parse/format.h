// SPDX-License-Identifier: Apache-2.0
// Format: how the texts of a field are read into fields of their own. Private to the folder.
#pragma once

#include "engine/core/arena.h"
#include "engine/core/batch.h"
#include "operators/parse/config.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::parse {

struct ParsedField {
  std::string name;  // below `into`; "": `into` itself
  Type type = Type::string;
};

struct TextRow {
  std::string_view text;  // lives as long as the batch
  std::uint32_t row = 0;  // physical
  EventTime time;         // of the record
};

// Where the values of one batch go.
struct Cells {
  std::vector<Value*> columns;  // by field: the first value of its column; all are missing before
  std::shared_ptr<Arena> arena;
  std::vector<std::shared_ptr<const void>> owners;  // what else values point to
};

struct Failure {
  std::size_t text;  // index into the texts
  std::string why;   // for people
};

// One per worker.
class Reader {
 public:
  virtual ~Reader() = default;
  // Every text gives values or a failure, and not both. Failures are in the order of the texts.
  virtual void read(const std::vector<TextRow>& texts, Cells& cells,
                    std::vector<Failure>& failures) = 0;
};

// A reader of formats that take one text at a time.
class RowReader : public Reader {
 public:
  explicit RowReader(std::size_t fields) : values_(fields) {}
  void read(const std::vector<TextRow>& texts, Cells& cells, std::vector<Failure>& failures) final;

 protected:
  // values: by field, all missing. False: `why` says why.
  virtual bool read_row(std::string_view text, Arena& arena, Value* values, std::string& why) = 0;

 private:
  std::vector<Value> values_;
  std::string why_;
};

// Const, shared by workers; outlives its readers.
class Format {
 public:
  virtual ~Format() = default;
  const std::vector<ParsedField>& fields() const { return fields_; }
  virtual std::unique_ptr<Reader> reader() const = 0;

 protected:
  std::vector<ParsedField> fields_;
};

// Null after it reported. The config is settled().
std::unique_ptr<Format> make_format(const Config& config, const ConfigNode& node,
                                    Diagnostics& problems);
// The single ones; only patterns can be wrong.
std::unique_ptr<Format> make_pattern_format(const Config& config, const ConfigNode& node,
                                            Diagnostics& problems);
std::unique_ptr<Format> make_pairs_format(const Config& config);
std::unique_ptr<Format> make_json_format(const Config& config);
std::unique_ptr<Format> make_csv_format(const Config& config);
std::unique_ptr<Format> make_url_format(const Config& config);
std::unique_ptr<Format> make_user_agent_format();
std::unique_ptr<Format> make_syslog_format(const Config& config);

}  // namespace streamd::parse
