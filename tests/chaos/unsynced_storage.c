// SPDX-License-Identifier: Apache-2.0
// Preloaded into streamd: notes below one folder what a power cut would leave (power_cut.py).
//
//   STREAMD_SYNCS="in=/FOLDER notes=/FILE attic=/FOLDER"
//
// The notes, one line each, words apart by tabs:
//   S INODE LENGTH           the file is durable up to there
//   T INODE LENGTH           it was cut
//   C NUMBER PATH            a file or folder was made
//   R NUMBER FROM TO OLD     renamed; what TO was is kept as attic/OLD, - when it was not there
//   U NUMBER PATH OLD        unlinked, and kept as attic/OLD
//   D PATH NUMBER            the names in the folder are durable, up to this change
// NUMBER counts the changes of names, which are noted before they are made. Syncs are not carried
// out: only these notes need them.
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))next(#name))

static char folder[PATH_MAX], notes_file[PATH_MAX], attic[PATH_MAX];
static int notes = -1;
static long changes;
// Held over a change of names and its note.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void* next(const char* name) {
  void* found = dlsym(RTLD_NEXT, name);
  if (!found) abort();
  return found;
}

__attribute__((constructor)) static void begin(void) {
  const char* plan = getenv("STREAMD_SYNCS");
  if (!plan) return;
  if (sscanf(plan, "in=%4095s notes=%4095s attic=%4095s", folder, notes_file, attic) != 3) abort();
  notes = (int)syscall(SYS_openat, AT_FDCWD, notes_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                       0644);
  if (notes < 0) abort();
}

__attribute__((format(printf, 1, 2))) static void note(const char* format, ...) {
  char text[3 * PATH_MAX];
  va_list more;
  va_start(more, format);
  const int length = vsnprintf(text, sizeof text, format, more);
  va_end(more);
  if (length >= (int)sizeof text || syscall(SYS_write, notes, text, length) != length) abort();
}

// The absolute form of a path below the folder; NULL for any other.
static const char* ours(const char* path, char* whole) {
  if (notes < 0 || !path) return NULL;
  char here[PATH_MAX] = "";
  if (path[0] != '/' && !getcwd(here, sizeof here)) return NULL;
  if (snprintf(whole, PATH_MAX, "%s%s%s", here, here[0] ? "/" : "", path) >= PATH_MAX) return NULL;
  return strncmp(whole, folder, strlen(folder)) == 0 ? whole : NULL;
}

// Gives what is at the path another name, so that it can come back.
static int keep(const char* path, long number) {
  char name[PATH_MAX + 32];
  snprintf(name, sizeof name, "%s/%ld", attic, number);
  return syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, name, 0) == 0;
}

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
  va_end(more);
  char space[PATH_MAX];
  const char* whole = flags & (O_CREAT | O_TRUNC) ? ours(path, space) : NULL;
  if (!whole) return NEXT(open)(path, flags, mode);
  pthread_mutex_lock(&lock);
  struct stat about;
  const int is_new = (flags & O_CREAT) && lstat(whole, &about) != 0;
  if (is_new) note("C\t%ld\t%s\n", ++changes, whole);
  const int fd = NEXT(open)(path, flags, mode);
  const int code = errno;
  if (fd >= 0 && fstat(fd, &about) == 0 && (is_new || (flags & O_TRUNC)))
    note("T\t%lu\t0\n", about.st_ino);
  pthread_mutex_unlock(&lock);
  errno = code;
  return fd;
}

int mkdir(const char* path, mode_t mode) {
  char space[PATH_MAX];
  const char* whole = ours(path, space);
  if (!whole) return NEXT(mkdir)(path, mode);
  struct stat about;
  pthread_mutex_lock(&lock);
  if (lstat(whole, &about) != 0) note("C\t%ld\t%s\n", ++changes, whole);
  const int result = NEXT(mkdir)(path, mode);
  const int code = errno;
  pthread_mutex_unlock(&lock);
  errno = code;
  return result;
}

int rename(const char* from, const char* to) {
  char space[2][PATH_MAX];
  const char *whole_from = ours(from, space[0]), *whole_to = ours(to, space[1]);
  if (!whole_from || !whole_to) return NEXT(rename)(from, to);
  pthread_mutex_lock(&lock);
  const long number = ++changes;
  struct stat about;
  if (lstat(whole_from, &about) == 0) {
    if (keep(whole_to, number))
      note("R\t%ld\t%s\t%s\t%ld\n", number, whole_from, whole_to, number);
    else
      note("R\t%ld\t%s\t%s\t-\n", number, whole_from, whole_to);
  }
  const int result = NEXT(rename)(from, to);
  const int code = errno;
  pthread_mutex_unlock(&lock);
  errno = code;
  return result;
}

int unlink(const char* path) {
  char space[PATH_MAX];
  const char* whole = ours(path, space);
  if (!whole) return NEXT(unlink)(path);
  pthread_mutex_lock(&lock);
  const long number = ++changes;
  if (keep(whole, number)) note("U\t%ld\t%s\t%ld\n", number, whole, number);
  const int result = NEXT(unlink)(path);
  const int code = errno;
  pthread_mutex_unlock(&lock);
  errno = code;
  return result;
}

int ftruncate(int fd, off_t length) {
  const int result = NEXT(ftruncate)(fd, length);
  struct stat about;
  if (notes >= 0 && result == 0 && fstat(fd, &about) == 0)
    note("T\t%lu\t%ld\n", about.st_ino, (long)length);
  return result;
}

static int sync_file(int fd, int (*sync)(int)) {
  struct stat about;
  char link[64], path[PATH_MAX], space[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = notes < 0 ? -1 : readlink(link, path, sizeof path - 1);
  if (length < 0 || fstat(fd, &about) != 0) return sync(fd);
  path[length] = 0;
  if (!ours(path, space)) return sync(fd);
  if (S_ISDIR(about.st_mode)) {
    pthread_mutex_lock(&lock);
    note("D\t%s\t%ld\n", path, changes);
    pthread_mutex_unlock(&lock);
  } else {
    note("S\t%lu\t%ld\n", about.st_ino, (long)about.st_size);
  }
  return 0;
}

int fsync(int fd) { return sync_file(fd, NEXT(fsync)); }
int fdatasync(int fd) { return sync_file(fd, NEXT(fdatasync)); }
