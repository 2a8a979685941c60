// SPDX-License-Identifier: Apache-2.0
#include "lists/url_loader.h"

#include "engine/match/indicator_list.h"
#include "lists/format/read_list.h"
#include "lists/list_copy.h"
#include "lists/list_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace streamd {
namespace {

constexpr int kNotModified = 304;

bool is_page(const Download& answer) {
  if (answer.content_type.starts_with("text/html")) return true;
  std::string front = answer.body.substr(0, 256);
  front.erase(0, std::min(front.find_first_not_of(" \t\r\n"), front.size()));
  for (char& c : front)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return front.starts_with("<!doctype html") || front.starts_with("<html");
}

class UrlLoader final : public ListLoader {
 public:
  UrlLoader(UrlLoaderSettings settings, Fetch fetch, ListContext context)
      : settings_(std::move(settings)),
        fetch_(std::move(fetch)),
        context_(std::move(context)),
        copy_path_(download_copy_path(context_.state_dir, context_.name)) {}

  Result<ListUpdate> load(std::stop_token stop) override {
    if (!given_ && !copy_) {
      copy_ = read_download_copy(copy_path_);
      if (copy_ && copy_->address != settings_.address) copy_.reset();
      if (copy_) remember(*copy_);
    }
    if (context_.offline) return only_copy();
    auto update = refresh(stop);
    if (update) {
      given_ = true;
      copy_.reset();
      return update;
    }
    if (given_) return update;
    if (auto copied = from_copy(update.error())) return std::move(*copied);
    return update;
  }

 private:
  struct Made {
    std::shared_ptr<const IndicatorList> list;
    ListReading reading;
  };

  std::string told(std::string_view text) const {
    return fmt::format("{}: {}", settings_.shown, text);
  }

  void remember(const DownloadCopy& copy) {
    etag_ = copy.etag;
    last_modified_ = copy.last_modified;
    entries_ = copy.entries;
  }

  Result<ListUpdate> refresh(std::stop_token stop) {
    const Duration now = context_.clock->monotonic();
    if (now < quiet_until_ && asked_for_quiet_) return tl::unexpected(*asked_for_quiet_);
    // What has begun meanwhile is in the text, which is only in the copy.
    const bool begun = context_.clock->wall() >= next_begin_;
    const bool all = begun || (!given_ && !copy_);
    auto answer = fetch_(all ? "" : etag_, all ? "" : last_modified_, stop);
    if (!answer) return tl::unexpected(std::move(answer).error());
    if (answer->status == kNotModified && !all) return unchanged(stop);
    if (answer->status != 200) return tl::unexpected(refusal(*answer));
    return changed(std::move(*answer));
  }

  Result<ListUpdate> unchanged(std::stop_token stop) {
    if (given_) return ListUpdate{};
    auto made = make(copy_->text);
    if (made) return update_of(std::move(*made));
    // The copy is of no use, perhaps because the format is another now.
    auto answer = fetch_("", "", stop);
    if (!answer) return tl::unexpected(std::move(answer).error());
    if (answer->status != 200) return tl::unexpected(refusal(*answer));
    return changed(std::move(*answer));
  }

  Result<ListUpdate> changed(Download answer) {
    if (answer.body.empty()) return fail_for_now(told("the answer is empty"));
    if (is_page(answer))
      return fail_for_now(told("the answer is a web page, no list"),
                          "does the URL need a login, or is it that of a page about the list?");
    auto made = make(answer.body);
    if (!made) return tl::unexpected(std::move(made).error());
    const std::size_t size = made->list->size();
    if (const std::size_t broken = made->reading.broken.count(); broken > size)
      return fail_for_now(told(made->reading.remark()), "is format the right one?");
    if (const std::size_t before = entries_to_keep(size); before > 0)
      return fail_for_now(
          told(fmt::format(
              "the download has {} entries instead of {}, which looks like a broken one", size,
              before)),
          fmt::format("if it is right, set max_shrink: 1, or remove {} and start again",
                      copy_path_));
    DownloadCopy copy{
        settings_.address,      std::move(answer.etag), std::move(answer.last_modified), size,
        context_.clock->wall(), std::move(answer.body)};
    remember(copy);
    const auto status = write_download_copy(copy_path_, copy);
    if (!status && !std::exchange(told_no_copy_, true))
      context_.log(1, status.error().message + "; a restart will need the server");
    ListUpdate update = update_of(std::move(*made));
    if (given_) update.notice = fmt::format("fetched again: {} entries", size);
    return update;
  }

  // How many entries there were before, if a download of `size` looks as if it had lost many of
  // them; else 0. What has ended by its own time is not lost.
  std::size_t entries_to_keep(std::size_t size) const {
    if (!shrinks_too_much(entries_, size, settings_.max_shrink)) return 0;
    std::size_t before = entries_;
    if (const auto list = in_force_.lock()) {
      before = list->live(context_.clock->wall());
    } else if (copy_) {
      if (const auto made = make(copy_->text)) before = made->list->size();
    }
    return shrinks_too_much(before, size, settings_.max_shrink) ? before : 0;
  }

  Result<Made> make(const std::string& body) const {
    // The copy keeps the text as it came.
    auto text = plain_list_text(body, settings_.max_size);
    if (!text) return in_context(std::move(text).error(), settings_.shown);
    IndicatorListBuilder builder(context_.hash_seed);
    auto reading = read_list(settings_.format, *text, context_.clock->wall(), builder);
    if (!reading) return in_context(std::move(reading).error(), settings_.shown);
    return Made{builder.build(), std::move(*reading)};
  }

  ListUpdate update_of(Made made) {
    next_begin_ = made.reading.next_begin;
    ListUpdate update;
    update.list = std::move(made.list);
    in_force_ = update.list;
    update.remark = made.reading.remark();
    if (std::exchange(remark_, update.remark) == update.remark) update.remark.clear();
    return update;
  }

  Result<ListUpdate> only_copy() {
    if (given_) return ListUpdate{};
    if (!copy_) return fail(ErrorKind::external, "there is no copy of an earlier run");
    auto made = make(copy_->text);
    if (!made) return tl::unexpected(std::move(made).error());
    given_ = true;
    return update_of(std::move(*made));
  }

  std::optional<ListUpdate> from_copy(const Error& why) {
    if (!copy_) return std::nullopt;
    auto made = make(copy_->text);
    if (!made) return std::nullopt;
    ListUpdate update = update_of(std::move(*made));
    update.trouble = why;
    update.trouble->message += "; the copy of the last run is used";
    given_ = true;
    copy_.reset();
    return update;
  }

  Error refusal(const Download& answer) {
    const auto make = [&](Retry retry, const char* what, const char* hint) {
      return Error{ErrorKind::external, retry, told(fmt::format("{} ({})", what, answer.status)),
                   hint};
    };
    switch (answer.status) {
      case 401:
      case 403:
        return make(Retry::never, "the server refuses the download",
                    "set headers, basic or bearer, with a key that may read it");
      case 404:
      case 410: return make(Retry::never, "there is no such list", "is url right?");
      default: break;
    }
    if (answer.status >= 300 && answer.status < 400)
      return make(Retry::never, "the server redirects where nobody may follow", "set url to there");
    Error error =
        make(answer.status >= 500 || answer.status == 429 || answer.status == 408 ? Retry::backoff
                                                                                  : Retry::never,
             "the server does not give the list", "");
    if (answer.retry_after) {
      quiet_until_ = context_.clock->monotonic() + *answer.retry_after;
      asked_for_quiet_ = error;
    }
    return error;
  }

  const UrlLoaderSettings settings_;
  const Fetch fetch_;
  const ListContext context_;
  const std::string copy_path_;
  std::optional<DownloadCopy> copy_;  // before the first list was given
  std::string etag_, last_modified_;  // of the content in force
  std::size_t entries_ = 0;           // of it, when it was new
  std::weak_ptr<const IndicatorList> in_force_;
  EventTime next_begin_ = EventTime::max();
  bool given_ = false, told_no_copy_ = false;
  std::string remark_;  // told last
  Duration quiet_until_{};
  std::optional<Error> asked_for_quiet_;
};

}  // namespace

std::unique_ptr<ListLoader> make_url_loader(UrlLoaderSettings settings, Fetch fetch,
                                            ListContext context) {
  return std::make_unique<UrlLoader>(std::move(settings), std::move(fetch), std::move(context));
}

}  // namespace streamd
