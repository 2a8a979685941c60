// SPDX-License-Identifier: Apache-2.0
// What make_decoder chooses from. Private to codec/.
#pragma once

#include "engine/codec/decode.h"

#include <memory>
#include <string>
#include <vector>

namespace streamd {

// repair: bytes that are no UTF-8 become U+FFFD before parsing (nginx writes escape=json that way).
std::unique_ptr<Decoder> make_json_decoder(std::vector<std::string> fields, bool repair);
std::unique_ptr<Decoder> make_text_decoder(std::vector<std::string> fields);
// format: combined, common or an nginx log_format string.
std::unique_ptr<Decoder> make_access_log_decoder(const std::string& format,
                                                 std::vector<std::string> fields);
// zone: of stamps without one.
std::unique_ptr<Decoder> make_syslog_decoder(const std::string& zone,
                                             std::vector<std::string> fields);
Schema access_log_schema(const std::string& format);

// Empties `out` and gives it one column per field, each with a missing value for every record.
void prepare(const RawBatch& in, std::size_t fields, Decoded& out);
// Cuts the columns to the rows that decoded.
void finish(Decoded& out);
// Whether the decoder has to look at the record at all.
inline bool to_decode(const RawRecord& record) { return !record.tombstone && record.fault.empty(); }

}  // namespace streamd
