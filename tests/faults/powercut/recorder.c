/* Records, in one order, whatever a process does to the files of one folder.

   Loaded with LD_PRELOAD into a process that uses a database in RECORDED_FOLDER. Each change is done and
   then written to RECORDING, both under one lock: the recording's order is the order of the disk.

   A record is an operation, the number of a file (a new one for each that is created), an offset, a length,
   and as many bytes of data:
     O  the file (data: its name) was there when it was first opened     C  it was created
     W  data was written at the offset         T  it was cut to the offset         S  it is on disk
     U  the name (data) was removed            R  it was renamed (data: old, zero byte, new)
     D  the folder's names are on disk

   Not recorded: SQLite's -shm files, which are memory between processes and are rebuilt after a cut. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MOST_DESCRIPTORS = 4096, MOST_FILES = 1024, LONGEST_NAME = 128, FOLDER = -1 };

struct head {
    uint32_t operation, file;
    uint64_t offset, length;
};

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static int file_of[MOST_DESCRIPTORS]; /* by descriptor: 0 is none of ours */
static char names[MOST_FILES][LONGEST_NAME]; /* by number; empty once removed */
static int files;
static int recording = -1;
static const char *folder;

static int (*real_open)(const char *, int, ...);
static int (*real_close)(int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static int (*real_ftruncate)(int, off64_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_unlink)(const char *);
static int (*real_rename)(const char *, const char *);

__attribute__((constructor)) static void begin(void) {
    real_open = dlsym(RTLD_NEXT, "open64");
    real_close = dlsym(RTLD_NEXT, "close");
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    real_rename = dlsym(RTLD_NEXT, "rename");
    folder = getenv("RECORDED_FOLDER");
    if (folder) recording = real_open(getenv("RECORDING"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (folder && recording < 0) abort();
}

static void record(char operation, int file, uint64_t offset, const void *data, size_t length) {
    struct head head = {(uint32_t)operation, (uint32_t)file, offset, length};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)data, length}};
    if (writev(recording, parts, 2) != (ssize_t)(sizeof head + length)) abort();
}

/* The name within the folder; NULL for whatever lies elsewhere, and for -shm files. */
static const char *ours(const char *path) {
    if (!folder || strncmp(path, folder, strlen(folder)) != 0) return NULL;
    const char *name = path + strlen(folder);
    if (*name++ != '/' || strchr(name, '/') || strlen(name) >= LONGEST_NAME) return NULL;
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, "-shm") == 0 ? NULL : name;
}

static int number_of(const char *name) {
    for (int file = 1; file <= files; file++)
        if (strcmp(names[file], name) == 0) return file;
    return 0;
}

static int numbered(const char *name, char operation) {
    if (++files >= MOST_FILES) abort();
    strcpy(names[files], name);
    record(operation, files, 0, name, strlen(name));
    return files;
}

static int opened(int descriptor, const char *name, int was_there) {
    if (descriptor >= MOST_DESCRIPTORS) abort();
    int file = was_there ? number_of(name) : 0;
    file_of[descriptor] = file ? file : numbered(name, was_there ? 'O' : 'C');
    return descriptor;
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    const char *name = ours(path);
    pthread_mutex_lock(&order);
    int was_there = name && access(path, F_OK) == 0;
    int descriptor = real_open(path, flags, mode);
    if (descriptor >= 0 && name) opened(descriptor, name, was_there);
    if (descriptor >= 0 && folder && strcmp(path, folder) == 0) file_of[descriptor] = FOLDER;
    pthread_mutex_unlock(&order);
    return descriptor;
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open64(path, flags, mode);
}

static int file_at(int descriptor) {
    return descriptor >= 0 && descriptor < MOST_DESCRIPTORS ? file_of[descriptor] : 0;
}

int close(int descriptor) {
    pthread_mutex_lock(&order);
    if (file_at(descriptor)) file_of[descriptor] = 0;
    int result = real_close(descriptor);
    pthread_mutex_unlock(&order);
    return result;
}

ssize_t write(int descriptor, const void *data, size_t length) {
    if (file_at(descriptor) <= 0) return real_write(descriptor, data, length);
    pthread_mutex_lock(&order);
    ssize_t written = real_write(descriptor, data, length);
    off64_t end = lseek64(descriptor, 0, SEEK_CUR);
    if (written > 0) record('W', file_of[descriptor], end - written, data, written);
    pthread_mutex_unlock(&order);
    return written;
}

ssize_t pwrite64(int descriptor, const void *data, size_t length, off64_t offset) {
    if (file_at(descriptor) <= 0) return real_pwrite(descriptor, data, length, offset);
    pthread_mutex_lock(&order);
    ssize_t written = real_pwrite(descriptor, data, length, offset);
    if (written > 0) record('W', file_of[descriptor], offset, data, written);
    pthread_mutex_unlock(&order);
    return written;
}

ssize_t pwrite(int descriptor, const void *data, size_t length, off_t offset) {
    return pwrite64(descriptor, data, length, offset);
}

int ftruncate64(int descriptor, off64_t length) {
    if (file_at(descriptor) <= 0) return real_ftruncate(descriptor, length);
    pthread_mutex_lock(&order);
    int result = real_ftruncate(descriptor, length);
    if (result == 0) record('T', file_of[descriptor], length, NULL, 0);
    pthread_mutex_unlock(&order);
    return result;
}

int ftruncate(int descriptor, off_t length) {
    return ftruncate64(descriptor, length);
}

static int synced(int descriptor, int (*real)(int)) {
    if (!file_at(descriptor)) return real(descriptor);
    pthread_mutex_lock(&order);
    int result = real(descriptor), file = file_of[descriptor];
    if (result == 0) record(file == FOLDER ? 'D' : 'S', file == FOLDER ? 0 : file, 0, NULL, 0);
    pthread_mutex_unlock(&order);
    return result;
}

int fsync(int descriptor) {
    return synced(descriptor, real_fsync);
}

int fdatasync(int descriptor) {
    return synced(descriptor, real_fdatasync);
}

int unlink(const char *path) {
    const char *name = ours(path);
    if (!name) return real_unlink(path);
    pthread_mutex_lock(&order);
    int result = real_unlink(path), file = number_of(name);
    if (result == 0) record('U', file, 0, name, strlen(name));
    if (result == 0 && file) names[file][0] = 0;
    pthread_mutex_unlock(&order);
    return result;
}

int rename(const char *from, const char *to) {
    const char *old = ours(from), *new = ours(to);
    if (!old || !new) return real_rename(from, to);
    char both[2 * LONGEST_NAME];
    size_t length = strlen(old) + 1 + strlen(new);
    strcpy(both, old);
    strcpy(both + strlen(old) + 1, new);
    pthread_mutex_lock(&order);
    int result = real_rename(from, to), file = number_of(old), replaced = number_of(new);
    if (result == 0) record('R', file, 0, both, length);
    if (result == 0 && replaced) names[replaced][0] = 0;
    if (result == 0 && file) strcpy(names[file], new);
    pthread_mutex_unlock(&order);
    return result;
}
