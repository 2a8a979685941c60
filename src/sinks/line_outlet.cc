// SPDX-License-Identifier: Apache-2.0
#include "sinks/line_outlet.h"

#include <fmt/format.h>
#include <limits.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace streamd {
namespace {

// What poll() calls writable takes this much without waiting for the reader.
constexpr std::size_t kPiece = PIPE_BUF;

bool is_file(int descriptor) {
  struct stat about {};
  return ::fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
}

bool writable(int descriptor, Duration patience) {
  pollfd ready{descriptor, POLLOUT, 0};
  while (true) {
    const int polled = ::poll(&ready, 1, static_cast<int>(patience.micros / 1000));
    if (polled >= 0 || errno != EINTR) return polled != 0;
  }
}

Status report(int code) {
  if (code == EPIPE)
    return fail(ErrorKind::external, "nobody reads standard output any more",
                "The program behind the pipe has ended.");
  const std::string text = fmt::format("cannot write to standard output: {}", std::strerror(code));
  if (code == ENOSPC) return fail_for_now(text, "Free some space; writing goes on then.");
  return fail(ErrorKind::external, text);
}

}  // namespace

std::shared_ptr<LineOutlet> LineOutlet::of(int descriptor) {
  static std::mutex mutex;
  static std::map<int, std::weak_ptr<LineOutlet>> outlets;
  const std::lock_guard lock(mutex);
  std::weak_ptr<LineOutlet>& known = outlets[descriptor];
  auto outlet = known.lock();
  if (!outlet) known = outlet = std::make_shared<LineOutlet>(descriptor);
  return outlet;
}

LineOutlet::LineOutlet(int descriptor)
    : descriptor_(descriptor), piece_(is_file(descriptor) ? SIZE_MAX : kPiece) {}

LineOutlet::Mark LineOutlet::add(std::string_view lines) {
  const std::lock_guard lock(mutex_);
  pending_ += lines;
  return written_ + pending_.size();
}

LineOutlet::Mark LineOutlet::end() const {
  const std::lock_guard lock(mutex_);
  return written_ + pending_.size();
}

bool LineOutlet::reached(Mark mark) const {
  const std::lock_guard lock(mutex_);
  return written_ >= mark;
}

Status LineOutlet::flush(Mark until, Duration patience) {
  while (true) {
    STREAMD_TRY(write_some(until));
    if (reached(until) || patience.micros == 0 || !writable(descriptor_, patience)) return {};
  }
}

Status LineOutlet::write_some(Mark until) {
  const std::lock_guard lock(mutex_);
  std::size_t done = 0;
  int code = 0;
  while (written_ + done < until && writable(descriptor_, Duration{})) {
    const ssize_t wrote =
        ::write(descriptor_, pending_.data() + done, std::min(piece_, pending_.size() - done));
    if (wrote >= 0) {
      done += static_cast<std::size_t>(wrote);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      break;
    } else if (errno != EINTR) {
      code = errno;
      break;
    }
  }
  pending_.erase(0, done);
  written_ += done;
  return code == 0 ? Status{} : report(code);
}

}  // namespace streamd
