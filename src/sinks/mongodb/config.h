// SPDX-License-Identifier: Apache-2.0
// The options of the mongodb sink. Private to it.
#pragma once

#include "engine/api/rendering.h"
#include "engine/api/spec.h"
#include "engine/io/delivery/delivery_sink.h"
#include "engine/io/mongo/client.h"
#include "engine/io/mongo/document.h"
#include "engine/io/mongo/uri.h"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace streamd {
namespace mongodb {

enum class Mode { insert, upsert };
enum class Times { date, rfc3339, unix };
enum class Order { up, down, hashed, text, sphere };

struct IndexConfig {
  std::vector<std::pair<std::string, Order>> keys;
  bool unique = false;
  std::optional<Duration> expire_after;
  std::string name;
};

struct Config : delivery::DeliveryConfig {
  mongo::Uri uri;
  std::string database;
  TemplateText collection;
  Mode mode = Mode::insert;
  std::optional<TemplateText> id;
  std::vector<IndexConfig> indexes;
  std::string write_concern;
  std::vector<std::string> dates;
  mongo::BadKeys bad_keys = mongo::BadKeys::escape;
  Times time_format = Times::date;
};

inline constexpr std::array<SentField, 3> kSent = {
    {{"collection", "where the document goes"},
     {"id", "where the pipeline says how it is made"},
     {"document", "as JSON; what becomes a date is a text there"}}};

Spec<Config> spec();

mongo::Index index_of(const IndexConfig& config);
bool is_database_name(std::string_view name);
// Of a collection in `database`: not empty, no "$" and NUL, not "system.…", 255 bytes with the
// database's.
bool is_collection_name(std::string_view database, std::string_view name);

}  // namespace mongodb

template <>
struct EnumNames<mongodb::Mode> {
  static constexpr std::array<std::pair<mongodb::Mode, std::string_view>, 2> values = {
      {{mongodb::Mode::insert, "insert"}, {mongodb::Mode::upsert, "upsert"}}};
};
template <>
struct EnumNames<mongodb::Times> {
  static constexpr std::array<std::pair<mongodb::Times, std::string_view>, 3> values = {
      {{mongodb::Times::date, "date"},
       {mongodb::Times::rfc3339, "rfc3339"},
       {mongodb::Times::unix, "unix"}}};
};
template <>
struct EnumNames<mongodb::Order> {
  static constexpr std::array<std::pair<mongodb::Order, std::string_view>, 5> values = {
      {{mongodb::Order::up, "1"},
       {mongodb::Order::down, "-1"},
       {mongodb::Order::hashed, "hashed"},
       {mongodb::Order::text, "text"},
       {mongodb::Order::sphere, "2dsphere"}}};
};
template <>
struct EnumNames<mongo::BadKeys> {
  static constexpr std::array<std::pair<mongo::BadKeys, std::string_view>, 2> values = {
      {{mongo::BadKeys::escape, "escape"}, {mongo::BadKeys::reject, "reject"}}};
};
template <>
struct NestedSpec<mongodb::IndexConfig> {
  static const Spec<mongodb::IndexConfig>& spec();
};

}  // namespace streamd
