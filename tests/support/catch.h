// SPDX-License-Identifier: Apache-2.0
// The one include of Catch2: Debian 12 packages version 2, Debian 13 version 3.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif
