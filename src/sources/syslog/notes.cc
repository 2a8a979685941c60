// SPDX-License-Identifier: Apache-2.0
#include "sources/syslog/notes.h"

#include <fmt/format.h>

namespace streamd::syslog {
namespace {

constexpr Duration kEvery = Duration::from_seconds(60);

const char* text_of(Note note) {
  switch (note) {
    case Note::kernel_drops:
      return "datagrams were thrown away by the kernel, they came faster than they were read: a "
             "larger receive_buffer, more sockets or max_per_sender help";
    case Note::throttled: return "messages were dropped, they were beyond max_per_sender";
    case Note::too_many: return "connections were refused, there are max_connections";
    case Note::too_slow:
      return "connections were closed, a message was not complete within message_timeout";
    case Note::too_much:
      return "connections were closed, unfinished messages of all senders fill the memory that "
             "there is for them";
    case Note::tls: return "TLS connections failed";
    case Note::no_length:
      return "messages have no length in front of them: framing: auto takes both kinds";
    case Note::no_accept: return "connections were refused, the system gives no more descriptors";
  }
  return "";
}

}  // namespace

void Notes::tell(Duration now) {
  if (!any_) return;
  any_ = false;
  for (std::size_t i = 0; i < kNotes; ++i) {
    Kept& kept = kept_[i];
    if (kept.untold == 0) continue;
    if (kept.all > 0 && now - kept.told_at < kEvery) {
      any_ = true;
      continue;
    }
    kept.all += kept.untold;
    kept.told_at = now;
    if (log_)
      log_(1, fmt::format("{} {} ({} since the start, for example {})", kept.untold,
                          text_of(static_cast<Note>(i)), kept.all, kept.who));
    kept.untold = 0;
  }
}

}  // namespace streamd::syslog
