// SPDX-License-Identifier: Apache-2.0
// Preloaded into streamd: the system clock is ahead by as many microseconds as stand, as a binary
// 64-bit number, in the file that STREAMD_CLOCK names. The monotonic clock does not notice.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t* ahead;
static int (*real_clock)(clockid_t, struct timespec*);

__attribute__((constructor)) static void begin(void) {
  real_clock = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
  const char* file = getenv("STREAMD_CLOCK");
  if (!file) return;
  const int fd = open(file, O_RDONLY | O_CLOEXEC);
  void* seen = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, fd, 0);
  if (seen == MAP_FAILED || !real_clock) abort();
  close(fd);
  ahead = seen;
}

int clock_gettime(clockid_t clock, struct timespec* to) {
  if (!real_clock)
    real_clock = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
  const int result = real_clock(clock, to);
  if (result != 0 || !ahead || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
    return result;
  const int64_t micros = to->tv_sec * 1000000 + to->tv_nsec / 1000 + *ahead;
  to->tv_sec = micros / 1000000;
  to->tv_nsec = micros % 1000000 * 1000 + to->tv_nsec % 1000;
  return 0;
}

int gettimeofday(struct timeval* restrict to, void* restrict zone) {
  (void)zone;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  to->tv_sec = now.tv_sec;
  to->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* to) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (to) *to = now.tv_sec;
  return now.tv_sec;
}
