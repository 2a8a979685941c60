// SPDX-License-Identifier: Apache-2.0
#include <streamd_plugin.h>

const sd_plugin* streamd_plugin(void) { return nullptr; }
