/* SPDX-License-Identifier: Apache-2.0
 * The header needs nothing before it, in C99 and (header_alone.cc) in C++20. */
#include <streamd_plugin.h>

const sd_plugin* streamd_plugin(void) { return (const sd_plugin*)0; }
