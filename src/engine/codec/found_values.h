// SPDX-License-Identifier: Apache-2.0
// Addresses, networks, URLs, domains, e-mail addresses and hashes in free text, also as people
// write them so that nobody clicks on them: hxxp://, evil[.]example, 1[.]2[.]3[.]4, (dot), [at],
// [:]. Safe on any bytes; time is linear in the text.
//
// What is taken for what:
// - ip: IPv4 without leading zeros, not a part of a longer number or of Name/1.2.3.4 (a version);
//   also from 1.2.3.4-1.2.3.9 and name/1.2.3.4(80). IPv6 with at least one digit. cidr: either with
//   /prefix, host bits cleared.
// - url: http, https, ftp, ftps, sftp, ssh, ws, wss, ldap, ldaps, smb, tcp, udp and their defanged
//   forms, up to a blank or quote, without the punctuation that ends a sentence. Its host is found
//   as ip or domain too.
// - domain: ASCII labels that end in a known top-level domain (top_level_domains.h; in defanged
//   text any word), not in a path, not before "(", and not a name such as run.sh of two labels.
// - email: with such a domain, which is one by itself only when no e-mail is asked for.
// - hash: 32, 40, 64 or 128 hex digits (MD5, SHA-1, SHA-256, SHA-512), letters and digits among
//   them, by themselves.
#pragma once

#include "engine/core/arena.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

struct IpAddress;

enum class FoundKind : std::uint8_t { ip, cidr, url, domain, email, hash };
inline constexpr std::size_t kFoundKinds = 6;
constexpr unsigned found_bit(FoundKind kind) { return 1u << static_cast<unsigned>(kind); }

struct FoundValue {
  FoundKind kind;
  // In its normal form: refanged, small letters where case does not matter. A slice of the text if
  // that is how it stands there, otherwise in the arena.
  std::string_view text;
};

// Keeps buffers; one thread.
class ValueFinder {
 public:
  // kinds: found_bit()s.
  ValueFinder(unsigned kinds, std::size_t max) : kinds_(kinds), max_(max) {}

  // Appends what `found` does not hold yet, in the order of the text, until it has `max`.
  void find(std::string_view text, Arena& arena, std::vector<FoundValue>& found);

 private:
  struct Host {
    std::size_t begin = 0, end = 0;
    std::size_t last = 0;  // where its last label begins
    std::size_t dots = 0;
    bool defanged = false;
  };
  using Offset = std::size_t;

  // Each looks at what the byte at hand may be a part of, and returns where to go on.
  Offset at_dot(Offset at);
  Offset at_name(Offset dot);
  Offset at_colon(Offset at);
  Offset at_address(Offset at, std::size_t colon);
  Offset at_bracket(Offset at);
  Offset at_separator(Offset at, std::size_t length);
  void at_hex(Offset at);

  bool is_number(Offset at, Host& host) const;
  Host host_around(Offset at) const;
  void extend(Host& host) const;
  bool take_email(Offset local_end, Offset domain, Offset& end);
  bool take_network(IpAddress first, Offset at, Offset& end);
  bool take_v4(const Host& host, Offset& end);
  bool take_joined_v4(const Host& host);
  bool is_version(const Host& host) const;
  bool take_domain(const Host& host);
  void take_url_host(std::string_view host, bool defanged, bool is_slice);
  // The text without its brackets and capitals, in name_.
  bool read_name(const Host& host);
  static bool is_domain(std::string_view name, bool defanged);
  bool prefix_after(Offset at, unsigned most, unsigned& prefix, Offset& end) const;
  void add(FoundKind kind, std::string_view text, bool is_slice);
  void add_address(const IpAddress& address);
  bool wants(FoundKind kind) const { return (kinds_ & found_bit(kind)) != 0; }

  const unsigned kinds_;
  const std::size_t max_;
  std::string name_, made_;
  std::string last_domain_;  // of a URL
  // The text at hand.
  std::string_view text_;
  Arena* arena_ = nullptr;
  std::vector<FoundValue>* found_ = nullptr;
  bool full_ = false;     // `found_` has max_
  Offset done_ = 0;       // nothing that begins before it is looked for
  Offset taken_ = 0;      // end of what was found last
  Offset hash_done_ = 0;  // the same as done_ for hashes
};

}  // namespace streamd
