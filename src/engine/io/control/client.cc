// SPDX-License-Identifier: Apache-2.0
#include "engine/io/control/client.h"

#include "engine/io/control/unix_stream.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <sys/socket.h>

namespace streamd::control {
namespace {

// Who answers before all is said, that there is no time for it say, is heard all the same.
void send_all(const net::Socket& socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::send(socket.descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

Result<int> exit_code(const std::string& text) {
  int code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  if (error != std::errc{} || end != text.data() + text.size())
    return fail(ErrorKind::external, "what answers there is no streamd");
  return code;
}

}  // namespace

Result<int> ask(const std::string& path, const Request& request,
                const std::function<bool(const AnswerLines::Line&)>& line, Duration within) {
  auto socket = connect_to_file(path);
  if (!socket) return tl::unexpected(std::move(socket).error());
  send_all(*socket, encode(request));
  AnswerLines lines;
  std::array<char, 64 << 10> block;
  bool silent = within > Duration{};
  for (;;) {
    while (const auto next = lines.next()) {
      if (next->kind == 'x') return exit_code(next->text);
      if (!line(*next)) return 0;
    }
    if (silent && !net::wait_for(*socket, false, within, {}))
      return fail(ErrorKind::external, "the process does not answer",
                  "it is stopped, or hangs: look at it with a debugger, or restart it");
    silent = false;
    const auto count = ::recv(socket->descriptor(), block.data(), block.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0)
      return fail(ErrorKind::external, "the process went away without a last word",
                  "it was killed, or has crashed: look at its log");
    lines.add({block.data(), static_cast<std::size_t>(count)});
  }
}

}  // namespace streamd::control
