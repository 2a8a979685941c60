// SPDX-License-Identifier: Apache-2.0
#include "engine/api/registry.h"
#include "sources/arrival_numbers.h"
#include "sources/builtin_sources.h"
#include "sources/syslog/config.h"
#include "sources/syslog/datagrams.h"
#include "sources/syslog/streams.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>

namespace streamd::syslog {
namespace {

using net::Endpoint;
using net::Socket;
using net::Transport;

constexpr Duration kLookEvery = Duration::from_seconds(1);
constexpr int kEvents = 256;
// What of epoll's data says that a descriptor is no connection; the rest is an index.
constexpr std::uint64_t kDatagram = std::uint64_t{1} << 32, kListener = std::uint64_t{1} << 33;
// Besides connections: files of the state, other components.
constexpr std::uint64_t kOtherDescriptors = 256;

struct Listener {
  Socket socket;
  std::shared_ptr<const http::TlsRules> rules;
};

// The sockets of one reader.
struct Share {
  std::vector<DatagramSocket> datagrams;
  std::vector<Listener> listeners;
  bool empty() const { return datagrams.empty() && listeners.empty(); }
};

std::string partition_of(unsigned reader) { return fmt::format("syslog/{}", reader); }

class SyslogReader final : public Reader {
 public:
  SyslogReader(Share share, unsigned number, bool envelope, const StreamLimits& limits,
               std::uint64_t max_per_sender, std::shared_ptr<std::atomic<std::uint64_t>> open,
               const SourceContext& context)
      : share_(std::move(share)),
        partition_(partition_of(number)),
        clock_(*context.clock),
        numbers_(stored(context.resume_at, partition_), *context.clock),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        intake_(MessageBlock(envelope, context.max_record),
                SenderLimits(max_per_sender, std::random_device{}()), context.log),
        datagrams_(intake_),
        streams_(limits, epoll_.descriptor(), std::move(open), intake_) {}

  Status watch() {
    for (std::size_t i = 0; i < share_.datagrams.size(); ++i)
      STREAMD_TRY(watch(share_.datagrams[i].socket, kDatagram | i));
    for (std::size_t i = 0; i < share_.listeners.size(); ++i)
      STREAMD_TRY(watch(share_.listeners[i].socket, kListener | i));
    return {};
  }

  Result<Pull> pull(const PullLimits& limits, RawBatch& out) override {
    out.clear();
    const Duration now = clock_.monotonic();
    intake_.begin(out, limits.max_records, clock_.wall(), now);
    bool busy = work(0);
    if (out.records.empty() && !busy && limits.max_wait > Duration{})
      work(static_cast<int>(std::min<std::int64_t>((limits.max_wait.micros + 999) / 1000, 60'000)));
    if (now - looked_at_ >= kLookEvery) look(now);
    intake_.finish();
    caught_up_ = !busy && out.records.empty();
    if (out.records.empty()) return Pull::idle;
    numbers_.number(out.records);
    return Pull::data;
  }

  void partitions(std::vector<PartitionState>& out) override {
    out.push_back({0, numbers_.position(), caught_up_, false});
  }
  std::string partition_name(std::uint32_t) const override { return partition_; }

 private:
  static std::string stored(const Positions& positions, const std::string& partition) {
    const auto found = positions.find(partition);
    return found == positions.end() ? std::string() : found->second;
  }

  Status watch(const Socket& socket, std::uint64_t data) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = data;
    if (::epoll_ctl(epoll_.descriptor(), EPOLL_CTL_ADD, socket.descriptor(), &event) == 0)
      return {};
    return fail(ErrorKind::internal, "a socket can't be watched");
  }

  // True when something was there.
  bool work(int wait_millis) {
    if (!datagrams_.drain() || !streams_.drain()) return true;
    if (next_event_ == event_count_) {
      const int count = ::epoll_wait(epoll_.descriptor(), events_.data(), kEvents, wait_millis);
      next_event_ = 0;
      event_count_ = std::max(count, 0);
    }
    const bool any = next_event_ < event_count_;
    while (next_event_ < event_count_ && !intake_.full())
      handle(events_[static_cast<std::size_t>(next_event_++)].data.u64);
    return any;
  }

  void handle(std::uint64_t data) {
    const auto index = static_cast<std::uint32_t>(data);
    if ((data & kDatagram) != 0)
      datagrams_.receive(share_.datagrams[index]);
    else if ((data & kListener) != 0)
      streams_.accept_from(share_.listeners[index].socket, share_.listeners[index].rules);
    else
      streams_.ready(static_cast<int>(index));
  }

  void look(Duration now) {
    looked_at_ = now;
    for (DatagramSocket& socket : share_.datagrams) datagrams_.count_drops(socket);
    streams_.sweep();
    intake_.notes().tell(now);
  }

  Share share_;
  const std::string partition_;
  const Clock& clock_;
  ArrivalNumbers numbers_;
  Socket epoll_;
  Intake intake_;
  Datagrams datagrams_;
  Streams streams_;
  std::array<epoll_event, kEvents> events_{};
  int next_event_ = 0, event_count_ = 0;
  Duration looked_at_{};
  bool caught_up_ = false;
};

class NothingReader final : public Reader {
 public:
  Result<Pull> pull(const PullLimits&, RawBatch& out) override {
    out.clear();
    return Pull::end;
  }
  void partitions(std::vector<PartitionState>&) override {}
  std::string partition_name(std::uint32_t) const override { return {}; }
};

class SyslogSource final : public Source {
 public:
  SyslogSource(const Config& config, bool envelope, SourceContext context)
      : config_(config), envelope_(envelope), context_(std::move(context)) {}

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
    StreamLimits limits;
    limits.framing = config_.framing;
    limits.max_record = context_.max_record;
    limits.max_connections = config_.max_connections;
    limits.idle_timeout = config_.idle_timeout;
    limits.message_timeout = config_.message_timeout;
    auto made = std::make_unique<SyslogReader>(std::move(shares_[worker]), worker, envelope_,
                                               limits, config_.max_per_sender, open_, context_);
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
                         endpoint.text(), format_size({granted}),
                         format_size(config_.receive_buffer)));
    return {};
  }

  void raise_descriptors() const {
    if (std::none_of(config_.listen.begin(), config_.listen.end(),
                     [](const Endpoint& e) { return e.stream(); }))
      return;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    const rlim_t wanted = config_.max_connections + kOtherDescriptors;
    if (limit.rlim_cur < wanted) {
      limit.rlim_cur = std::min(limit.rlim_max, wanted);
      ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur < wanted)
      log(1, fmt::format("max_connections is {}, but the system gives this process {} descriptors",
                         config_.max_connections, limit.rlim_cur));
  }

  const Config& config_;
  const bool envelope_;
  const SourceContext context_;
  std::shared_ptr<const http::TlsRules> rules_;
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
