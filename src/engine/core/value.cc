// SPDX-License-Identifier: Apache-2.0
#include "engine/core/value.h"

namespace streamd {

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::missing: return "missing";
    case Kind::null: return "null";
    case Kind::boolean: return "bool";
    case Kind::int64: return "int";
    case Kind::float64: return "double";
    case Kind::string: return "string";
    case Kind::timestamp: return "timestamp";
    case Kind::json: return "json";
    case Kind::uint64: return "uint";
    case Kind::duration: return "duration";
    case Kind::bytes: return "bytes";
    case Kind::ip: return "ip";
    case Kind::cidr: return "cidr";
    case Kind::list: return "list";
    case Kind::map: return "map";
    case Kind::error: return "error";
  }
  return "?";
}

Type type_of(Kind kind) {
  switch (kind) {
    case Kind::null: return Type::null;
    case Kind::boolean: return Type::boolean;
    case Kind::int64: return Type::int64;
    case Kind::float64: return Type::float64;
    case Kind::string: return Type::string;
    case Kind::timestamp: return Type::timestamp;
    case Kind::json: return Type::json;
    case Kind::uint64: return Type::uint64;
    case Kind::duration: return Type::duration;
    case Kind::bytes: return Type::bytes;
    case Kind::ip: return Type::ip;
    case Kind::cidr: return Type::cidr;
    case Kind::list: return Type::list;
    case Kind::map: return Type::map;
    case Kind::missing:
    case Kind::error: return Type::any;
  }
  return Type::any;
}

std::string_view type_name(Type type) {
  switch (type) {
    case Type::any: return "any";
    case Type::null: return "null";
    case Type::boolean: return "bool";
    case Type::int64: return "int";
    case Type::uint64: return "uint";
    case Type::float64: return "double";
    case Type::string: return "string";
    case Type::bytes: return "bytes";
    case Type::timestamp: return "timestamp";
    case Type::duration: return "duration";
    case Type::ip: return "ip";
    case Type::cidr: return "cidr";
    case Type::list: return "list";
    case Type::map: return "map";
    case Type::json: return "json";
  }
  return "?";
}

}  // namespace streamd
