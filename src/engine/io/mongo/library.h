// SPDX-License-Identifier: Apache-2.0
// libmongoc's beginning and end in this process. Private to this folder.
#pragma once

namespace streamd::mongo {

// Called before anything else of the library; any thread, any number of times. From then on the
// library writes no log: its messages quote what it was given, and what matters comes back as an
// error anyway.
void use_library();

// How many warnings about options the library had for this thread's calls since the last question.
unsigned take_warnings();

}  // namespace streamd::mongo
