// SPDX-License-Identifier: Apache-2.0
// Lines in the common and combined formats, as nginx and Apache and the tools around them write
// them:
//
//   [vhost[:port]] host[, host…] ident user [time] "request" status bytes ["referer" ["agent"]] …
//
// The whole line may be in quotes, the tail may be missing, more columns may follow. Private to
// codec/.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace streamd {

// Slices of the line, not unescaped. data() == nullptr: the line has no such part.
struct ClfLine {
  enum Part : std::size_t {
    addr,
    user,
    time,
    request,
    status,
    bytes,
    referer,
    agent,
    vhost,
    kParts
  };
  std::array<std::string_view, kParts> part;
};

// Referer and agent are only looked for `with_tail`; nothing in them makes a line a bad one.
// False: `why` and the byte `at` which the line stops to fit.
bool parse_clf_line(std::string_view line, bool with_tail, ClfLine& out, std::string_view& why,
                    std::size_t& at);

// Parts of a request line; data() == nullptr: not there.
struct RequestLine {
  std::string_view method, uri, path, query, protocol;
};
RequestLine split_request(std::string_view request);

// Whether an odd number of backslashes stands before text[at], not looking before `from`.
bool is_escaped(std::string_view text, std::size_t from, std::size_t at);
// Length of dd/Mon/yyyy:HH:MM:SS[ +zzzz] at text[at] with one or two digits per field; 0: none.
std::size_t clf_time_length(std::string_view text, std::size_t at);

// Undoes \xHH, \", \\ and \b \n \r \t \v. `to` has room for text.size() bytes.
std::size_t unescape_log(std::string_view text, char* to);

}  // namespace streamd
