// SPDX-License-Identifier: Apache-2.0
// Preloaded into streamd: lets calls that write below one folder fail.
//
//   STREAMD_FAULT="in=/FOLDER kind=write first=7 times=1 error=28 report=/FILE"
//
// kind    write (write, pwrite, writev), sync (fsync, fdatasync), open (of files to be written),
//         rename, cut (ftruncate), reserve (fallocate), unlink, mkdir
// first   which call of that kind fails; 0: none
// times   how many in a row
// error   errno; 0 for a write that takes only half of the bytes
// report  gets a line "struck KIND PATH" for each failure, and "calls KIND N" at an ordinary end
//
// What a failed sync was to make durable is lost at once: it becomes zeros, as after the kernel has
// given up the pages. Who takes the next sync for a success of that one writes nonsense. Syncs that
// succeed are not carried out: no machine is going to stop, and they are most of a run's time.
#define _GNU_SOURCE
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST_FILES 65536
#define NEXT(name) ((__typeof__(&name))next(#name))

static char folder[PATH_MAX], kind[16], report[PATH_MAX];
static long first, times, error;
static const char* const kinds[] = {"write", "sync",    "open",   "rename",
                                    "cut",   "reserve", "unlink", "mkdir"};
enum { KINDS = sizeof kinds / sizeof *kinds };
static atomic_long calls[KINDS];
// By descriptor: 0 when it is none of ours, else 1 + how many bytes are durable.
static _Atomic off_t files[MOST_FILES];

static void* next(const char* name) {
  void* found = dlsym(RTLD_NEXT, name);
  if (!found) abort();
  return found;
}

__attribute__((constructor)) static void begin(void) {
  const char* plan = getenv("STREAMD_FAULT");
  if (plan && sscanf(plan, "in=%4095s kind=%15s first=%ld times=%ld error=%ld report=%4095s",
                     folder, kind, &first, &times, &error, report) != 6)
    abort();
}

static void tell(const char* text) {
  // Past our own write and open.
  const long fd = syscall(SYS_openat, AT_FDCWD, report, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (fd < 0 || syscall(SYS_write, fd, text, strlen(text)) < 0) abort();
  syscall(SYS_close, fd);
}

__attribute__((destructor)) static void end(void) {
  char text[64];
  for (int k = 0; k < KINDS; ++k) {
    if (!calls[k]) continue;
    snprintf(text, sizeof text, "calls %s %ld\n", kinds[k], (long)calls[k]);
    tell(text);
  }
}

static int below(const char* path) {
  char whole[PATH_MAX];
  if (!folder[0] || !path) return 0;
  if (path[0] != '/') {
    char here[PATH_MAX / 2];
    if (!getcwd(here, sizeof here)) return 0;
    if (snprintf(whole, sizeof whole, "%s/%s", here, path) >= (int)sizeof whole) return 0;
    path = whole;
  }
  return strncmp(path, folder, strlen(folder)) == 0;
}

static int ours(int fd) { return fd >= 0 && fd < MOST_FILES && files[fd] > 0; }

// Whether this call is one that fails.
static int strikes(const char* what, const char* path, int fd) {
  int k = 0;
  while (strcmp(what, kinds[k]) != 0) ++k;
  const long n = ++calls[k];
  if (strcmp(what, kind) != 0 || first == 0 || n < first || n >= first + times) return 0;
  char name[PATH_MAX], link[64], text[PATH_MAX + 64];
  if (!path) {
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link, name, sizeof name - 1);
    name[length < 0 ? 0 : length] = 0;
    path = name;
  }
  snprintf(text, sizeof text, "struck %s %s\n", what, path);
  tell(text);
  errno = (int)error;
  return 1;
}

static int opened(int fd, int flags) {
  if (fd < 0 || fd >= MOST_FILES) return fd;
  struct stat about;
  const int kept = errno;
  files[fd] = 1 + ((flags & O_TRUNC) || fstat(fd, &about) != 0 ? 0 : about.st_size);
  errno = kept;
  return fd;
}

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
  va_end(more);
  const int watched = below(path);
  const int writes = watched && (flags & (O_WRONLY | O_RDWR));
  if (writes && strikes("open", path, -1)) return -1;
  const int fd = NEXT(open)(path, flags, mode);
  return watched ? opened(fd, flags) : fd;
}

int close(int fd) {
  if (fd >= 0 && fd < MOST_FILES) files[fd] = 0;
  return NEXT(close)(fd);
}

ssize_t write(int fd, const void* from, size_t size) {
  if (ours(fd) && strikes("write", NULL, fd)) {
    if (error) return -1;
    size = (size + 1) / 2;
  }
  return NEXT(write)(fd, from, size);
}

ssize_t pwrite(int fd, const void* from, size_t size, off_t at) {
  if (ours(fd) && strikes("write", NULL, fd)) {
    if (error) return -1;
    size = (size + 1) / 2;
  }
  return NEXT(pwrite)(fd, from, size, at);
}

ssize_t writev(int fd, const struct iovec* parts, int count) {
  if (ours(fd) && strikes("write", NULL, fd)) {
    if (error) return -1;
    count = (count + 1) / 2;
  }
  return NEXT(writev)(fd, parts, count);
}

static void lose_what_is_not_synced(int fd) {
  static const char zeros[65536];
  struct stat about;
  if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) return;
  for (off_t at = files[fd] - 1; at < about.st_size;) {
    const off_t left = about.st_size - at;
    const size_t size = left < (off_t)sizeof zeros ? (size_t)left : sizeof zeros;
    const ssize_t done = NEXT(pwrite)(fd, zeros, size, at);
    if (done <= 0) return;  // Opened for reading only: nothing of it was waiting.
    at += done;
  }
}

static int sync_file(int fd) {
  struct stat about;
  const int known = fstat(fd, &about) == 0;
  if (strikes("sync", NULL, fd)) {
    lose_what_is_not_synced(fd);
    errno = (int)error;
    return -1;
  }
  if (known) files[fd] = 1 + about.st_size;
  return 0;
}

int fsync(int fd) { return ours(fd) ? sync_file(fd) : NEXT(fsync)(fd); }
int fdatasync(int fd) { return ours(fd) ? sync_file(fd) : NEXT(fdatasync)(fd); }

int ftruncate(int fd, off_t length) {
  if (ours(fd) && strikes("cut", NULL, fd)) return -1;
  const int result = NEXT(ftruncate)(fd, length);
  if (result == 0 && ours(fd) && files[fd] > 1 + length) files[fd] = 1 + length;
  return result;
}

int fallocate(int fd, int mode, off_t at, off_t length) {
  if (ours(fd) && strikes("reserve", NULL, fd)) return -1;
  return NEXT(fallocate)(fd, mode, at, length);
}

int rename(const char* from, const char* to) {
  if (below(from) && strikes("rename", from, -1)) return -1;
  return NEXT(rename)(from, to);
}

int unlink(const char* path) {
  if (below(path) && strikes("unlink", path, -1)) return -1;
  return NEXT(unlink)(path);
}

int mkdir(const char* path, mode_t mode) {
  if (below(path) && strikes("mkdir", path, -1)) return -1;
  return NEXT(mkdir)(path, mode);
}
