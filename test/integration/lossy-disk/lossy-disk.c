// A file system of one folder, in memory, that loses what was not synced, as a disk whose power
// fails: lossy-disk MOUNTPOINT SEED.
//
// SIGUSR1 is the power loss. Names go back to what they were at the last fsync of the folder, each
// file to its bytes at its own last fsync; with a seed above 0, some of the pages and names that
// were not synced are kept all the same, as disks do. From then on every call fails with EIO, until
// SIGUSR2 brings the power back. Each is answered with a line on the standard output.
#define FUSE_USE_VERSION 35
#include <errno.h>
#include <fuse.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES = 4096, NAME = 64, PAGE = 4096 };
typedef struct { char *bytes; size_t length, room; } Content;
typedef struct { Content now, synced; } File;
typedef struct { char name[NAME]; File *file; } Entry;
typedef struct { Entry entries[FILES]; } Folder;

static Folder now, synced;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int is_dead;
static unsigned seed;

static Entry *find(Folder *folder, const char *path) {
  for (Entry *entry = folder->entries; entry < folder->entries + FILES; entry++)
    if (entry->file && strcmp(entry->name, path + 1) == 0) return entry;
  return NULL;
}

static Entry *vacant(Folder *folder) {
  for (Entry *entry = folder->entries; entry < folder->entries + FILES; entry++)
    if (!entry->file) return entry;
  return NULL;
}

static void resize(Content *content, size_t length) {
  if (length > content->room) {
    content->room = length * 2;
    content->bytes = realloc(content->bytes, content->room);
  }
  if (length > content->length) memset(content->bytes + content->length, 0, length - content->length);
  content->length = length;
}

static void copy(Content *to, const Content *from) {
  resize(to, from->length);
  if (from->length) memcpy(to->bytes, from->bytes, from->length);
}

static int keeps(void) { return seed && rand_r(&seed) % 2; }

static void lose_content(File *file) {
  Content kept = {0};
  int keeps_length = keeps();
  resize(&kept, keeps_length ? file->now.length : file->synced.length);
  for (size_t at = 0; at < kept.length; at += PAGE) {
    const Content *from = keeps() ? &file->now : &file->synced;
    size_t end = at + PAGE < from->length ? at + PAGE : from->length;
    if (end > kept.length) end = kept.length;
    if (at < end) memcpy(kept.bytes + at, from->bytes + at, end - at);
  }
  copy(&file->now, &kept);
  copy(&file->synced, &kept);
  free(kept.bytes);
}

static void lose_power(void) {
  for (Entry *entry = now.entries; entry < now.entries + FILES; entry++) {
    if (!entry->file) continue;
    char path[NAME + 1] = "/";
    Entry *place = find(&synced, strcat(path, entry->name));
    if (!place) place = vacant(&synced);
    if (place && place->file != entry->file && keeps()) *place = *entry;
  }
  now = synced;
  for (Entry *entry = now.entries; entry < now.entries + FILES; entry++)
    if (entry->file) lose_content(entry->file);
}

#define ENTER() pthread_mutex_lock(&lock); int outcome = is_dead ? -EIO : 0; if (is_dead) goto end
#define LEAVE() end: pthread_mutex_unlock(&lock); return outcome
#define ENTRY(entry, path) entry = find(&now, path); if (!entry) { outcome = -ENOENT; goto end; }

static int do_getattr(const char *path, struct stat *stat, struct fuse_file_info *info) {
  Entry *entry;
  (void)info;
  memset(stat, 0, sizeof *stat);
  if (strcmp(path, "/") == 0) {
    stat->st_mode = S_IFDIR | 0755;
    stat->st_nlink = 2;
    return 0;
  }
  ENTER();
  ENTRY(entry, path);
  stat->st_mode = S_IFREG | 0644;
  stat->st_nlink = 1;
  stat->st_size = (off_t)entry->file->now.length;
  LEAVE();
}

static int do_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
                      struct fuse_file_info *info, enum fuse_readdir_flags flags) {
  (void)path, (void)offset, (void)info, (void)flags;
  ENTER();
  for (Entry *entry = now.entries; entry < now.entries + FILES; entry++)
    if (entry->file) fill(buffer, entry->name, NULL, 0, 0);
  LEAVE();
}

static int do_open(const char *path, struct fuse_file_info *info) {
  Entry *entry;
  ENTER();
  ENTRY(entry, path);
  info->fh = (uint64_t)(uintptr_t)entry->file;
  info->direct_io = 1;  // nothing may stay in the system's own cache
  if (info->flags & O_TRUNC) resize(&entry->file->now, 0);
  LEAVE();
}

static int do_create(const char *path, mode_t mode, struct fuse_file_info *info) {
  (void)mode;
  ENTER();
  Entry *entry = vacant(&now);
  if (!entry || strlen(path) > NAME) { outcome = -ENOSPC; goto end; }
  strcpy(entry->name, path + 1);
  entry->file = calloc(1, sizeof(File));  // never freed: the process is short-lived
  info->fh = (uint64_t)(uintptr_t)entry->file;
  info->direct_io = 1;
  LEAVE();
}

static File *file_of(struct fuse_file_info *info) { return (File *)(uintptr_t)info->fh; }

static int do_read(const char *path, char *bytes, size_t length, off_t offset,
                   struct fuse_file_info *info) {
  (void)path;
  ENTER();
  Content *content = &file_of(info)->now;
  size_t left = (size_t)offset < content->length ? content->length - (size_t)offset : 0;
  outcome = (int)(length < left ? length : left);
  if (outcome > 0) memcpy(bytes, content->bytes + offset, (size_t)outcome);
  LEAVE();
}

static int do_write(const char *path, const char *bytes, size_t length, off_t offset,
                    struct fuse_file_info *info) {
  (void)path;
  ENTER();
  Content *content = &file_of(info)->now;
  if ((size_t)offset + length > content->length) resize(content, (size_t)offset + length);
  memcpy(content->bytes + offset, bytes, length);
  outcome = (int)length;
  LEAVE();
}

static int do_truncate(const char *path, off_t length, struct fuse_file_info *info) {
  Entry *entry;
  (void)info;
  ENTER();
  ENTRY(entry, path);
  resize(&entry->file->now, (size_t)length);
  LEAVE();
}

static int do_unlink(const char *path) {
  Entry *entry;
  ENTER();
  ENTRY(entry, path);
  entry->file = NULL;
  LEAVE();
}

static int do_rename(const char *from, const char *to, unsigned flags) {
  Entry *entry;
  (void)flags;
  ENTER();
  ENTRY(entry, from);
  Entry *replaced = find(&now, to);
  if (replaced) replaced->file = NULL;
  strcpy(entry->name, to + 1);
  LEAVE();
}

static int do_fsync(const char *path, int is_data, struct fuse_file_info *info) {
  (void)path, (void)is_data;
  ENTER();
  copy(&file_of(info)->synced, &file_of(info)->now);
  LEAVE();
}

static int do_fsyncdir(const char *path, int is_data, struct fuse_file_info *info) {
  (void)path, (void)is_data, (void)info;
  ENTER();
  synced = now;
  LEAVE();
}

static void *do_init(struct fuse_conn_info *connection, struct fuse_config *config) {
  (void)connection;
  config->attr_timeout = config->entry_timeout = config->negative_timeout = 0;
  puts("mounted");
  return NULL;
}

static void *power(void *signals) {
  for (;;) {
    int signal;
    sigwait(signals, &signal);
    pthread_mutex_lock(&lock);
    is_dead = signal == SIGUSR1;
    if (is_dead) lose_power();
    puts(is_dead ? "lost" : "back");
    pthread_mutex_unlock(&lock);
  }
  return NULL;
}

int main(int count, char **arguments) {
  if (count != 3) return 2;
  seed = (unsigned)strtoul(arguments[2], NULL, 10);
  setvbuf(stdout, NULL, _IOLBF, 0);
  static sigset_t signals;
  sigaddset(&signals, SIGUSR1);
  sigaddset(&signals, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
  pthread_t thread;
  pthread_create(&thread, NULL, power, &signals);
  static const struct fuse_operations operations = {
    .getattr = do_getattr, .readdir = do_readdir, .open = do_open, .create = do_create,
    .read = do_read, .write = do_write, .truncate = do_truncate, .unlink = do_unlink,
    .rename = do_rename, .fsync = do_fsync, .fsyncdir = do_fsyncdir, .init = do_init,
  };
  char *options[] = {arguments[0], "-f", arguments[1], NULL};
  return fuse_main(3, options, &operations, NULL);
}
