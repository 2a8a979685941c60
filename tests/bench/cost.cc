// SPDX-License-Identifier: Apache-2.0
// bench_cost REPORT COMMAND…: runs the command and writes what it cost to the file REPORT, as JSON.
// A small process does this because a child's peak memory begins with that of whoever forked it.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

double seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
}

pid_t child = 0;

void pass_on(int signal) { kill(child, signal); }

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: bench_cost REPORT COMMAND...\n", stderr);
    return 2;
  }
  const auto begin = std::chrono::steady_clock::now();
  child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp(argv[2], argv + 2);
    std::perror(argv[2]);
    _exit(127);
  }
  if (child < 0) {
    std::perror("fork");
    return 1;
  }
  struct sigaction action {};
  action.sa_handler = pass_on;
  action.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  int status = 0;
  rusage used{};
  if (wait4(child, &status, 0, &used) != child) {
    std::perror("wait4");
    return 1;
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  std::FILE* out = std::fopen(argv[1], "w");
  if (out == nullptr) {
    std::perror(argv[1]);
    return 1;
  }
  std::fprintf(out,
               "{\"code\": %d, \"wall\": %.6f, \"user\": %.6f, \"sys\": %.6f, \"rss_kib\": %ld}\n",
               code, wall.count(), seconds(used.ru_utime), seconds(used.ru_stime), used.ru_maxrss);
  return std::fclose(out) == 0 ? code : 1;
}
