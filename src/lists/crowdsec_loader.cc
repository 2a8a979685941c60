// SPDX-License-Identifier: Apache-2.0
#include "lists/crowdsec_loader.h"

#include "lists/list_copy.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace streamd::crowdsec {
namespace {

constexpr Duration kCopyEvery = Duration::from_seconds(30);
// A full answer with fewer than a fifth of what is known may be one that a fault of the server cut.
constexpr std::size_t kShrinkFactor = 5;

Error refusal(const Answer& answer) {
  const auto make = [](Retry retry, std::string message, std::string hint) {
    return Error{ErrorKind::external, retry, std::move(message), std::move(hint)};
  };
  switch (answer.status) {
    case 401:
    case 403:
      return make(Retry::never, "the local API refuses the key (403)",
                  "make one on its host with: cscli bouncers add streamd, and set key");
    case 400:
      return make(Retry::never, "the local API does not understand the question (400)",
                  "are the scopes right?");
    case 404:
    case 405:
      return make(Retry::never, fmt::format("no local API of CrowdSec there ({})", answer.status),
                  "set url, like http://127.0.0.1:8080");
    default:
      return make(Retry::backoff, fmt::format("the local API answers {}", answer.status), "");
  }
}

class Loader final : public ListLoader {
 public:
  Loader(LoaderSettings settings, Ask ask, ListContext context)
      : settings_(std::move(settings)),
        ask_(std::move(ask)),
        context_(std::move(context)),
        copy_(list_copy_path(context_.state_dir, context_.name)) {}

  ~Loader() override {
    if (copy_is_old_) save();
  }

  Result<ListUpdate> load(std::stop_token stop) override {
    if (context_.offline) return only_copy();
    const Duration now = context_.clock->monotonic();
    const bool all = !complete_ || now - completed_at_ >= settings_.resync;
    auto changed = poll(all, stop);
    if (!changed) {
      complete_ = false;
      // A restart before it is over has nothing but the copy.
      if (copy_is_old_) save();
      if (!given_ && changed.error().retry == Retry::backoff)
        if (auto copied = from_copy(changed.error())) return std::move(*copied);
      return tl::unexpected(std::move(changed).error());
    }
    if (all) {
      complete_ = true;
      completed_at_ = now;
    }
    ListUpdate update;
    if (*changed || !given_) update = make();
    copy_is_old_ = copy_is_old_ || *changed;
    if (copy_is_old_ && (all || !saved_at_ || now - *saved_at_ >= kCopyEvery)) save();
    return update;
  }

 private:
  // Whether something has changed.
  Result<bool> poll(bool all, std::stop_token stop) {
    std::string scopes;
    for (const auto& scope : settings_.filter.scopes) scopes += (scopes.empty() ? "" : ",") + scope;
    const auto answer = ask_(
        fmt::format("v1/decisions/stream?startup={}&scopes={}", all ? "true" : "false", scopes),
        stop);
    if (!answer) return tl::unexpected(answer.error());
    if (answer->status != 200) return tl::unexpected(refusal(*answer));
    const EventTime now = context_.clock->wall();
    auto reply = read_reply(answer->body, now);
    if (!reply) return tl::unexpected(std::move(reply).error());
    unusable_ = reply->unusable;
    table_.expire(now);
    if (!all) {
      const bool any = !reply->added.empty() || !reply->deleted.empty();
      table_.change(std::move(*reply));
      return any;
    }
    if (looks_cut(reply->added.size()))
      return fail_for_now(
          fmt::format("a full answer has {} decisions instead of {}, which looks cut off",
                      reply->added.size(), table_.size()),
          "it is believed when the next one says the same");
    table_.replace(std::move(*reply));
    return true;
  }

  bool looks_cut(std::size_t count) {
    const bool few = table_.size() >= kShrinkMatters && count < table_.size() / kShrinkFactor;
    const bool again = std::exchange(was_few_, few);
    return few && !again;
  }

  ListUpdate make() {
    std::size_t unusable = unusable_;
    ListUpdate update;
    update.list = table_.list(settings_.filter, context_.hash_seed, unusable);
    if (unusable > 0 && std::exchange(told_unusable_, unusable) != unusable)
      update.remark = fmt::format("{} decisions could not be used", unusable);
    given_ = true;
    return update;
  }

  Result<ListUpdate> only_copy() {
    auto copied = from_copy({});
    if (!copied) return fail(ErrorKind::external, "there is no copy of an earlier run");
    copied->trouble.reset();
    return std::move(*copied);
  }

  std::optional<ListUpdate> from_copy(const Error& why) {
    const auto text = read_list_copy(copy_);
    if (!text) return std::nullopt;
    auto reply = read_reply(*text, context_.clock->wall());
    if (!reply) return std::nullopt;
    table_.replace(std::move(*reply));
    ListUpdate update = make();
    update.trouble = why;
    update.trouble->message += "; the copy of the last run is used";
    return update;
  }

  // The copy is for a restart without the network; that it cannot be written is told and no more.
  void save() {
    saved_at_ = context_.clock->monotonic();
    copy_is_old_ = false;
    const auto status = write_list_copy(copy_, table_.save());
    if (!status && !std::exchange(told_no_copy_, true))
      context_.log(1, status.error().message + "; a restart will need the local API");
  }

  const LoaderSettings settings_;
  const Ask ask_;
  const ListContext context_;
  const std::string copy_;
  DecisionTable table_;
  bool complete_ = false;  // since the last full answer no reply was lost
  bool given_ = false;     // a list was handed out
  bool copy_is_old_ = false;
  bool was_few_ = false, told_no_copy_ = false;
  std::size_t unusable_ = 0, told_unusable_ = 0;
  Duration completed_at_{};
  std::optional<Duration> saved_at_;
};

}  // namespace

std::unique_ptr<ListLoader> make_loader(LoaderSettings settings, Ask ask, ListContext context) {
  return std::make_unique<Loader>(std::move(settings), std::move(ask), std::move(context));
}

}  // namespace streamd::crowdsec
