// SPDX-License-Identifier: Apache-2.0
#include "engine/app/command_line.h"

int main(int argc, char** argv) { return streamd::run_command_line(argc, argv); }
