// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/names.h"

#include <fmt/format.h>
#include <netdb.h>

#include <arpa/inet.h>
#include <array>
#include <condition_variable>
#include <optional>
#include <sys/socket.h>
#include <system_error>
#include <thread>

namespace streamd::http {
namespace {

using Addresses = std::vector<std::string>;

bool is_address(const std::string& host) {
  in6_addr binary{};
  return inet_pton(AF_INET, host.c_str(), &binary) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &binary) == 1;
}

tl::unexpected<Trouble> unknown_name(int code) {
  switch (code) {
    case EAI_NONAME:
    case EAI_NODATA:
      return trouble(Fault::name, "the host name is unknown",
                     "check its spelling and the name servers of this machine");
    case EAI_AGAIN:
      return trouble(Fault::name, "no name server answers for the host name",
                     "check the network and the name servers of this machine");
    default:
      return trouble(Fault::name,
                     fmt::format("the host name can't be looked up ({})", gai_strerror(code)));
  }
}

Try<Addresses> ask_system(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(host.c_str(), nullptr, &wanted, &found); code != 0)
    return unknown_name(code);
  Addresses addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) == 0)
      addresses.emplace_back(text.data());
  }
  freeaddrinfo(found);
  if (addresses.empty()) return unknown_name(EAI_NONAME);
  return addresses;
}

}  // namespace

struct Names::LookUp {
  std::mutex mutex;
  std::condition_variable_any answered;
  std::optional<Try<Addresses>> answer;
};

Try<Addresses> Names::ask(const std::string& host) const {
  if (!resolve_) return ask_system(host);
  auto found = resolve_(host);
  if (!found) return trouble(Fault::name, found.error().message, found.error().hint);
  if (found->empty()) return unknown_name(EAI_NONAME);
  return std::move(*found);
}

std::shared_ptr<Names::LookUp> Names::begin(const std::string& host) {
  const std::lock_guard lock(mutex_);
  auto& slot = under_way_[host];
  if (slot) return slot;
  const auto look_up = slot = std::make_shared<LookUp>();
  try {
    std::thread([self = shared_from_this(), host, look_up] {
      auto answer = self->ask(host);
      {
        const std::lock_guard all(self->mutex_);
        self->under_way_.erase(host);
      }
      const std::lock_guard own(look_up->mutex);
      look_up->answer = std::move(answer);
      look_up->answered.notify_all();
    }).detach();
  } catch (const std::system_error&) {
    under_way_.erase(host);
    look_up->answer = trouble(Fault::name, "there is no thread left to look the host name up");
  }
  return look_up;
}

Try<Addresses> Names::look_up(const std::string& host, const Wait& wait) {
  if (is_address(host)) return Addresses{host};
  const auto look_up = begin(host);
  std::unique_lock lock(look_up->mutex);
  const bool there = look_up->answered.wait_until(lock, wait.stop, wait.until,
                                                  [&] { return look_up->answer.has_value(); });
  if (there) return *look_up->answer;
  if (wait.stop.stop_requested()) return stopped();
  return trouble(Fault::timeout, "looking the host name up took too long",
                 "check the name servers of this machine");
}

}  // namespace streamd::http
