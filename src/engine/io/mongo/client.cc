// SPDX-License-Identifier: Apache-2.0
#include "engine/io/mongo/client.h"

#include "engine/io/mongo/handle.h"
#include "engine/io/mongo/library.h"
#include "engine/io/mongo/reply.h"
#include "engine/io/mongo/stream.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <mutex>

namespace streamd::mongo {
namespace {

constexpr std::int32_t kConnectMillis = 5'000;
constexpr std::int32_t kSocketMillis = 30'000;
constexpr std::int32_t kSelectionMillis = 5'000;
constexpr std::int32_t kConcernMillis = 20'000;
// The library can't be interrupted while it looks for a server, so it looks for so long only, again
// and again.
constexpr std::int32_t kSelectionSlice = 250;

using PoolHandle = std::unique_ptr<mongoc_client_pool_t, Destroy<mongoc_client_pool_destroy>>;

// Not every failure of the library fills it.
bson_error_t no_error() { return bson_error_t{}; }

void set_default(mongoc_uri_t* uri, const char* option, std::int32_t value) {
  if (!mongoc_uri_has_option(uri, option)) mongoc_uri_set_option_as_int32(uri, option, value);
}

Status set_concern(mongoc_uri_t* uri, const std::string& text) {
  const ConcernHandle concern(mongoc_write_concern_copy(mongoc_uri_get_write_concern(uri)));
  mongoc_write_concern_t* raw = concern.get();
  int count = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
  const bool number = problem == std::errc() && end == text.data() + text.size();
  if (number && count < 1)
    return fail(ErrorKind::config, "write_concern is a number above 0, majority or a tag");
  if (number)
    mongoc_write_concern_set_w(raw, count);
  else if (text == "majority" || (text.empty() && !mongoc_uri_has_option(uri, MONGOC_URI_W)))
    mongoc_write_concern_set_w(raw, MONGOC_WRITE_CONCERN_W_MAJORITY);
  else if (!text.empty())
    mongoc_write_concern_set_wtag(raw, text.c_str());
  if (mongoc_write_concern_get_wtimeout_int64(raw) == 0)
    mongoc_write_concern_set_wtimeout_int64(raw, kConcernMillis);
  mongoc_uri_set_write_concern(uri, raw);
  return {};
}

// A view on bytes that outlive it.
bool as_bson(std::string_view bytes, bson_t& out) {
  return bson_init_static(&out, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

int size_of(std::string_view text) { return static_cast<int>(text.size()); }

// One client of the pool for the length of a call.
class Loan {
 public:
  Loan(mongoc_client_pool_t* pool, Interrupt& interrupt)
      : pool_(pool), client_(mongoc_client_pool_pop(pool)) {
    if (client_ != nullptr) make_interruptible(client_, interrupt);
  }
  ~Loan() {
    if (client_ != nullptr) mongoc_client_pool_push(pool_, client_);
  }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;
  mongoc_client_t* get() const { return client_; }

 private:
  mongoc_client_pool_t* pool_;
  mongoc_client_t* client_;
};

class PooledClient final : public Client {
 public:
  PooledClient(Uri uri, UriHandle parsed, std::unique_ptr<Interrupt> interrupt)
      : uri_(std::move(uri)),
        parsed_(std::move(parsed)),
        interrupt_(std::move(interrupt)),
        patience_(mongoc_uri_get_option_as_int32(parsed_.get(), MONGOC_URI_SERVERSELECTIONTIMEOUTMS,
                                                 kSelectionMillis)) {
    mongoc_uri_set_option_as_int32(parsed_.get(), MONGOC_URI_SERVERSELECTIONTIMEOUTMS,
                                   std::min(patience_, kSelectionSlice));
  }

  // The library says good-bye to the server, and would wait for a frozen one's answer.
  ~PooledClient() override { interrupt_->raise(); }
  PooledClient(const PooledClient&) = delete;
  PooledClient& operator=(const PooledClient&) = delete;

  Outcome write(const Collection& to, Write how, std::span<const Document> documents,
                std::stop_token stop) override {
    Outcome outcome;
    const std::stop_callback raise(stop, [this] { interrupt_->raise(); });
    mongoc_client_pool_t* pool = pool_or(outcome.failure);
    if (pool == nullptr) return outcome;
    const Loan loan(pool, *interrupt_);
    outcome.failure = find_server(loan.get(), stop);
    if (outcome.failure) return outcome;
    const CollectionHandle collection(collection_of(loan.get(), to));
    BsonHandle options;
    BSON_APPEND_BOOL(options.get(), "ordered", false);
    const BulkHandle bulk(
        mongoc_collection_create_bulk_operation_with_opts(collection.get(), options.get()));
    bson_error_t error = no_error();
    for (const auto& document : documents)
      if (!queue(bulk.get(), how, document, error)) {
        outcome.failure = failure_of(error, uri_);
        return outcome;
      }
    BsonHandle reply;
    // It initialises the reply once more, which holds no memory yet.
    const bool good = mongoc_bulk_operation_execute(bulk.get(), reply.get(), &error) != 0;
    outcome = outcome_of(!good, *reply.get(), error, uri_);
    if (outcome.failure && stop.stop_requested()) outcome.failure->from = Failure::From::stopped;
    return outcome;
  }

  tl::expected<std::set<std::string, std::less<>>, Failure> present(
      const Collection& in, std::span<const std::string_view> ids, std::stop_token stop) override {
    std::optional<Failure> failure;
    const std::stop_callback raise(stop, [this] { interrupt_->raise(); });
    mongoc_client_pool_t* pool = pool_or(failure);
    if (pool == nullptr) return tl::unexpected(*failure);
    const Loan loan(pool, *interrupt_);
    if ((failure = find_server(loan.get(), stop))) return tl::unexpected(*failure);
    BsonHandle filter, options;
    ask_for(ids, *filter.get(), *options.get());
    const CollectionHandle collection(collection_of(loan.get(), in));
    const CursorHandle cursor(
        mongoc_collection_find_with_opts(collection.get(), filter.get(), options.get(), nullptr));
    std::set<std::string, std::less<>> found;
    const bson_t* document = nullptr;
    bson_iter_t id;
    while (mongoc_cursor_next(cursor.get(), &document))
      if (bson_iter_init_find(&id, document, "_id") && BSON_ITER_HOLDS_UTF8(&id)) {
        std::uint32_t size = 0;
        const char* text = bson_iter_utf8(&id, &size);
        found.emplace(text, size);
      }
    bson_error_t error = no_error();
    if (mongoc_cursor_error(cursor.get(), &error)) return tl::unexpected(failure_of(error, uri_));
    return found;
  }

  std::optional<Failure> create_index(const Collection& on, const Index& index,
                                      std::stop_token stop) override {
    std::optional<Failure> failure;
    const std::stop_callback raise(stop, [this] { interrupt_->raise(); });
    mongoc_client_pool_t* pool = pool_or(failure);
    if (pool == nullptr) return failure;
    const Loan loan(pool, *interrupt_);
    if ((failure = find_server(loan.get(), stop))) return failure;
    BsonHandle command, reply;
    describe(on, index, *command.get());
    bson_error_t error = no_error();
    if (mongoc_client_command_simple(loan.get(), std::string(on.database).c_str(), command.get(),
                                     nullptr, reply.get(), &error))
      return std::nullopt;
    return failure_of(error, uri_);
  }

 private:
  // DNS is asked for mongodb+srv when the pool is made, so that is tried again each time.
  mongoc_client_pool_t* pool_or(std::optional<Failure>& failure) {
    const std::lock_guard lock(mutex_);
    if (pool_) return pool_.get();
    bson_error_t error = no_error();
    pool_.reset(mongoc_client_pool_new_with_error(parsed_.get(), &error));
    if (pool_)
      mongoc_client_pool_set_error_api(pool_.get(), MONGOC_ERROR_API_VERSION_2);
    else
      failure = failure_of(error, uri_);
    return pool_.get();
  }

  // nullopt: there is one, and the next call will find it too.
  std::optional<Failure> find_server(mongoc_client_t* client, const std::stop_token& stop) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_);
    bson_error_t error = no_error();
    while (!stop.stop_requested()) {
      const ServerHandle server(mongoc_client_select_server(client, true, nullptr, &error));
      if (server) return std::nullopt;
      if (std::chrono::steady_clock::now() >= until) return failure_of(error, uri_);
    }
    return Failure{Failure::From::stopped, 0, "it is time to stop"};
  }

  static mongoc_collection_t* collection_of(mongoc_client_t* client, const Collection& which) {
    return mongoc_client_get_collection(client, std::string(which.database).c_str(),
                                        std::string(which.name).c_str());
  }

  static void ask_for(std::span<const std::string_view> ids, bson_t& filter, bson_t& options) {
    bson_t condition, list, fields;
    BSON_APPEND_DOCUMENT_BEGIN(&filter, "_id", &condition);
    BSON_APPEND_ARRAY_BEGIN(&condition, "$in", &list);
    for (std::size_t i = 0; i < ids.size(); ++i)
      bson_append_utf8(&list, std::to_string(i).c_str(), -1, ids[i].data(), size_of(ids[i]));
    bson_append_array_end(&condition, &list);
    bson_append_document_end(&filter, &condition);
    BSON_APPEND_DOCUMENT_BEGIN(&options, "projection", &fields);
    BSON_APPEND_INT32(&fields, "_id", 1);
    bson_append_document_end(&options, &fields);
  }

  static bool queue(mongoc_bulk_operation_t* bulk, Write how, const Document& document,
                    bson_error_t& error) {
    bson_t bson;
    if (!as_bson(document.bson, bson)) {
      bson_set_error(&error, MONGOC_ERROR_BSON, MONGOC_ERROR_BSON_INVALID, "no BSON document");
      return false;
    }
    BsonHandle options;
    // The converter has made sure of it.
    BSON_APPEND_BOOL(options.get(), "validate", false);
    if (how == Write::insert)
      return mongoc_bulk_operation_insert_with_opts(bulk, &bson, options.get(), &error);
    BSON_APPEND_BOOL(options.get(), "upsert", true);
    BsonHandle selector;
    bson_append_utf8(selector.get(), "_id", 3, document.id.data(), size_of(document.id));
    return mongoc_bulk_operation_replace_one_with_opts(bulk, selector.get(), &bson, options.get(),
                                                       &error);
  }

  static void describe(const Collection& on, const Index& index, bson_t& command) {
    bson_append_utf8(&command, "createIndexes", -1, on.name.data(), size_of(on.name));
    bson_t list, item, keys;
    std::string name;
    BSON_APPEND_ARRAY_BEGIN(&command, "indexes", &list);
    BSON_APPEND_DOCUMENT_BEGIN(&list, "0", &item);
    BSON_APPEND_DOCUMENT_BEGIN(&item, "key", &keys);
    for (const auto& [field, kind] : index.keys) {
      name += (name.empty() ? "" : "_") + field + "_" + kind;
      if (kind == "1" || kind == "-1")
        BSON_APPEND_INT32(&keys, field.c_str(), kind == "1" ? 1 : -1);
      else
        BSON_APPEND_UTF8(&keys, field.c_str(), kind.c_str());
    }
    bson_append_document_end(&item, &keys);
    BSON_APPEND_UTF8(&item, "name", index.name.empty() ? name.c_str() : index.name.c_str());
    if (index.unique) BSON_APPEND_BOOL(&item, "unique", true);
    if (index.expire_seconds) BSON_APPEND_INT32(&item, "expireAfterSeconds", *index.expire_seconds);
    bson_append_document_end(&list, &item);
    bson_append_array_end(&command, &list);
  }

  const Uri uri_;
  const UriHandle parsed_;
  const std::unique_ptr<Interrupt> interrupt_;  // before the pool, whose connections use it
  const std::int32_t patience_;                 // ms to look for a server
  std::mutex mutex_;
  PoolHandle pool_;
};

}  // namespace

Result<std::unique_ptr<Client>> Client::make(Uri uri, std::string write_concern) {
  use_library();
  bson_error_t ignored;
  UriHandle parsed(mongoc_uri_new_with_error(uri.text.c_str(), &ignored));
  if (!parsed) return fail(ErrorKind::config, "the URI can't be read");
  mongoc_uri_t* raw = parsed.get();
  set_default(raw, MONGOC_URI_CONNECTTIMEOUTMS, kConnectMillis);
  set_default(raw, MONGOC_URI_SOCKETTIMEOUTMS, kSocketMillis);
  if (mongoc_uri_get_appname(raw) == nullptr) mongoc_uri_set_appname(raw, "streamd");
  STREAMD_TRY(set_concern(raw, write_concern));
  auto interrupt = Interrupt::make();
  if (!interrupt) return tl::unexpected(std::move(interrupt).error());
  return std::make_unique<PooledClient>(std::move(uri), std::move(parsed), std::move(*interrupt));
}

}  // namespace streamd::mongo
