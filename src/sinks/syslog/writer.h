// SPDX-License-Identifier: Apache-2.0
// MessageWriter: a record as the text of a syslog message, without framing. Const once made; one
// Scratch for each thread.
#pragma once

#include "engine/api/emitter.h"
#include "engine/api/needs.h"
#include "engine/codec/encode.h"
#include "engine/expr/template.h"
#include "sinks/syslog/config.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamd::syslog_out {

// What a record's parts are made of, parsed and not yet tied to a schema.
struct Templates {
  std::optional<expr::Template> message, facility, severity, host, app, procid, msgid;

  // What does not parse is reported and left out. A facility or severity that is plain text is
  // checked.
  static Templates parse(const Config& config, Diagnostics& problems);
  void needs(const Config& config, Needs& into) const;
};

class MessageWriter {
 public:
  // Reports fields that there are not. local_host: what stands for `host` without a template.
  static std::shared_ptr<const MessageWriter> bind(const Config& config, const Templates& templates,
                                                   const Schema& in, Place place,
                                                   std::string local_host, Diagnostics& problems);

  struct Scratch {
    std::string part, why;
  };
  // Appends the message of record i. A fault: it has none; `out` is unspecified then.
  std::optional<Fault> write(const Batch& batch, std::size_t i, std::string& out,
                             Scratch& scratch) const;

 private:
  struct Param {
    std::string name;
    std::size_t column;
  };
  struct Element {
    std::string id;
    std::vector<Param> params;
  };
  using Text = std::optional<expr::BoundTemplate>;

  bool number(const expr::BoundTemplate& of, const Batch& batch, std::size_t i,
              int (*by_name)(std::string_view), int most, int& into, Scratch& scratch) const;
  bool word(const Text& of, const Batch& batch, std::size_t i, std::size_t most,
            std::string_view otherwise, std::string& out, Scratch& scratch) const;
  void data(const Batch& batch, std::size_t i, std::string& out, Scratch& scratch) const;
  void stamp(EventTime time, std::string& out) const;

  Format format_ = Format::rfc5424;
  bool one_line_ = false;
  bool local_ = false;  // to a daemon of this machine, which expects no host in the old format
  std::string zone_, local_host_;
  Text message_, facility_, severity_, host_, app_, procid_, msgid_;
  std::shared_ptr<const JsonEncoder> json_;
  std::vector<Element> elements_;
};

}  // namespace streamd::syslog_out
