// SPDX-License-Identifier: Apache-2.0
#include "engine/api/nothing_reader.h"
#include "engine/api/registry.h"
#include "engine/core/descriptors.h"
#include "sources/builtin_sources.h"
#include "sources/syslog/config.h"
#include "sources/syslog/syslog_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <unistd.h>
#include <utility>

namespace streamd::syslog {
namespace {

using net::Endpoint;
using net::Transport;

// Besides connections: files of the state, other components.
constexpr std::uint64_t kOtherDescriptors = 256;

class SyslogSource final : public Source {
 public:
  SyslogSource(const Config& config, bool envelope, SourceContext context)
      : config_(config),
        envelope_(envelope),
        context_(std::move(context)),
        limits_(std::make_shared<SenderLimits>(config.max_per_sender, std::random_device{}())) {}

  Status open() {
    shares_.resize(std::max(1u, context_.workers));
    if (!config_.tls.cert.empty()) {
      auto rules = http::tls_server_rules(config_.tls);
      if (!rules) return tl::unexpected(std::move(rules).error());
      rules_ = std::move(*rules);
    }
    raise_descriptors();
    for (const Endpoint& endpoint : config_.listen) STREAMD_TRY(listen(endpoint));
    return {};
  }

  Result<std::unique_ptr<Reader>> reader(unsigned worker) override {
    if (worker >= shares_.size() || shares_[worker].empty())
      return std::make_unique<NothingReader>();
    ReaderOptions options;
    options.envelope = envelope_;
    options.limits = limits_;
    options.streams = {config_.framing, context_.max_record, config_.max_connections,
                       config_.idle_timeout, config_.message_timeout};
    options.open = open_;
    auto made =
        std::make_unique<SyslogReader>(std::move(shares_[worker]), worker, options, context_);
    STREAMD_TRY(made->watch());
    return made;
  }

  void close() noexcept override {
    for (const Endpoint& endpoint : config_.listen)
      if (endpoint.transport == Transport::unix_datagram) ::unlink(endpoint.path.c_str());
  }

 private:
  void log(int level, const std::string& text) const {
    if (context_.log) context_.log(level, text);
  }

  Status listen(Endpoint endpoint) {
    const bool local = endpoint.transport == Transport::unix_datagram;
    const bool datagrams = local || endpoint.transport == Transport::udp;
    const std::size_t count = local ? 1 : config_.sockets > 0 ? config_.sockets : shares_.size();
    net::ListenOptions options;
    if (datagrams) options.receive_buffer = config_.receive_buffer.bytes;
    // Sockets that share an address would share it with another process too: one that does not
    // share it tells.
    if (count > 1) {
      auto probe = net::listen_at(endpoint, {});
      if (!probe) return tl::unexpected(std::move(probe).error());
      if (endpoint.port == 0) endpoint.port = net::port_of(*probe);
    }
    options.shared = count > 1;
    std::size_t granted = 0;
    for (std::size_t i = 0; i < count; ++i) {
      auto socket = net::listen_at(endpoint, options);
      if (!socket) return tl::unexpected(std::move(socket).error());
      if (endpoint.port == 0 && !local) endpoint.port = net::port_of(*socket);
      granted = net::receive_buffer_of(*socket);
      Share& share = shares_[i % shares_.size()];
      if (datagrams)
        share.datagrams.push_back({std::move(*socket), endpoint.text(), 0});
      else
        share.listeners.push_back(
            {std::move(*socket), endpoint.transport == Transport::tls ? rules_ : nullptr});
    }
    log(0, fmt::format("receives at {}{}", endpoint.text(),
                       count > 1 ? fmt::format(", {} sockets", count) : ""));
    if (datagrams && granted < config_.receive_buffer.bytes)
      log(1, fmt::format("{}: the system grants a receive_buffer of {} instead of {}; raise "
                         "net.core.rmem_max",
                         endpoint.text(), readable_size(granted),
                         readable_size(config_.receive_buffer.bytes)));
    return {};
  }

  void raise_descriptors() const {
    if (std::none_of(config_.listen.begin(), config_.listen.end(),
                     [](const Endpoint& e) { return e.stream(); }))
      return;
    const std::uint64_t limit = raise_descriptor_limit();
    if (limit < config_.max_connections + kOtherDescriptors)
      log(1, fmt::format("max_connections is {}, but the system gives this process {} descriptors",
                         config_.max_connections, limit));
  }

  const Config& config_;
  const bool envelope_;
  const SourceContext context_;
  std::shared_ptr<const http::TlsRules> rules_;
  const std::shared_ptr<SenderLimits> limits_;
  std::shared_ptr<std::atomic<std::uint64_t>> open_ =
      std::make_shared<std::atomic<std::uint64_t>>(0);
  std::vector<Share> shares_;
};

class SyslogPlan final : public SourcePlan {
 public:
  SyslogPlan(Config config, bool envelope) : config_(std::move(config)), envelope_(envelope) {}

  bool bounded() const override { return false; }
  std::string describe() const override {
    std::string at;
    for (const Endpoint& endpoint : config_.listen)
      at += (at.empty() ? "" : ", ") + endpoint.text();
    return fmt::format(
        "syslog at {}; what was received after the last checkpoint is lost with a "
        "crash",
        at);
  }
  std::string default_decode() const override { return "syslog"; }
  Result<std::unique_ptr<Source>> open(SourceContext context) const override {
    auto source = std::make_unique<SyslogSource>(config_, envelope_, std::move(context));
    STREAMD_TRY(source->open());
    return source;
  }

 private:
  const Config config_;
  const bool envelope_;
};

// Only the syslog decoder knows envelopes.
bool decodes_syslog(const ConfigNode& node) {
  const ConfigNode* const decode = node.find("decode");
  return decode == nullptr || decode->text == "syslog" || decode->find("syslog") != nullptr;
}

}  // namespace
}  // namespace streamd::syslog

namespace streamd {

void add_syslog_source(Registry& registry) {
  registry.add_source(syslog::spec(),
                      [](syslog::Config config, const ConfigNode& node,
                         Diagnostics&) -> std::unique_ptr<SourcePlan> {
                        const bool envelope = syslog::decodes_syslog(node);
                        return std::make_unique<syslog::SyslogPlan>(std::move(config), envelope);
                      });
}

}  // namespace streamd
