// SPDX-License-Identifier: Apache-2.0
// Owners for what libmongoc and libbson hand out. Private to this folder.
#pragma once

#include <mongoc/mongoc.h>

#include <memory>

namespace streamd::mongo {

template <auto destroy>
struct Destroy {
  template <class T>
  void operator()(T* object) const {
    destroy(object);
  }
};

using UriHandle = std::unique_ptr<mongoc_uri_t, Destroy<mongoc_uri_destroy>>;
using BulkHandle = std::unique_ptr<mongoc_bulk_operation_t, Destroy<mongoc_bulk_operation_destroy>>;
using CursorHandle = std::unique_ptr<mongoc_cursor_t, Destroy<mongoc_cursor_destroy>>;
using CollectionHandle = std::unique_ptr<mongoc_collection_t, Destroy<mongoc_collection_destroy>>;
using ConcernHandle =
    std::unique_ptr<mongoc_write_concern_t, Destroy<mongoc_write_concern_destroy>>;
using ServerHandle =
    std::unique_ptr<mongoc_server_description_t, Destroy<mongoc_server_description_destroy>>;

// A document of the library's own on the stack of the caller.
class BsonHandle {
 public:
  BsonHandle() { bson_init(&bson_); }
  ~BsonHandle() { bson_destroy(&bson_); }
  BsonHandle(const BsonHandle&) = delete;
  BsonHandle& operator=(const BsonHandle&) = delete;
  bson_t* get() { return &bson_; }

 private:
  bson_t bson_;
};

}  // namespace streamd::mongo
