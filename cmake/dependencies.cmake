# SPDX-License-Identifier: Apache-2.0
# Third-party libraries, all from Debian. Each is used by exactly one folder (tests/repo checks).
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(Boost REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(spdlog REQUIRED)
find_package(simdjson REQUIRED)
find_package(RocksDB REQUIRED)
find_package(absl REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(MONGOC REQUIRED IMPORTED_TARGET libmongoc-1.0 libbson-1.0)
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka)
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(SNAPPY REQUIRED IMPORTED_TARGET snappy)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(MAXMINDDB REQUIRED IMPORTED_TARGET libmaxminddb)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(YAMLCPP REQUIRED IMPORTED_TARGET yaml-cpp)

# librdkafka allocates a record on one thread and frees it on another, which glibc serves badly: with
# jemalloc a record from Kafka costs about half. Sanitizers bring an allocator of their own.
if(NOT STREAMD_SANITIZE)
  pkg_check_modules(JEMALLOC REQUIRED IMPORTED_TARGET jemalloc)
endif()

# RocksDB is linked in: to load it and to look up its 16,000 symbols took a tenth of a short run.
# Sanitizers know what they do not watch by the library's name (tests/tsan.supp).
set(STREAMD_ROCKSDB RocksDB::rocksdb)
if(STREAMD_SANITIZE)
  set(STREAMD_ROCKSDB RocksDB::rocksdb-shared)
endif()
