#define _GNU_SOURCE
#include "boot-files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "small-file.h"

#ifndef DISK_PREFIX
#define DISK_PREFIX "/dev/xvd"
#endif
#ifndef BOOT_FOLDER
#define BOOT_FOLDER "/boot"
#endif

enum { APPEAR_TIMEOUT_MS = 20000, CHUNK = 1 << 20, PAGE = 4096 };

static char problem[160];

/* A file system of its own: that of the root may hold half of the memory only, and has QEMU in it. */
static int mount_boot_memory(off_t size) {
	char options[48];
	snprintf(options, sizeof options, "mode=0700,size=%lld", (long long)(size / PAGE + 2) * PAGE);
	if (mkdir(BOOT_FOLDER, 0700) != 0 && errno != EEXIST) return -1;
	return mount("tmpfs", BOOT_FOLDER, "tmpfs", MS_NOSUID | MS_NOEXEC | MS_NODEV, options);
}

static int copy_all(int from, int to, off_t size) {
	for (off_t left = size; left > 0;) {
		ssize_t moved = sendfile(to, from, NULL, left < CHUNK ? (size_t)left : CHUNK);
		if (moved < 0 && errno == EINTR) continue;
		if (moved < 0) return -1;
		if (moved == 0) {
			errno = EIO;
			return -1;
		}
		left -= moved;
	}
	return 0;
}

static int copy_into_memory(const char *disk, const char *copy) {
	int from = open(disk, O_RDONLY | O_CLOEXEC), to = -1, failure = 0;
	off_t size = from < 0 ? -1 : lseek(from, 0, SEEK_END);
	if (size < 0 || lseek(from, 0, SEEK_SET) != 0 || mount_boot_memory(size) != 0 ||
	    (to = open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400)) < 0 || copy_all(from, to, size) != 0)
		failure = errno;
	/* Its pages in the disk's cache are of no more use. */
	if (from >= 0) posix_fadvise(from, 0, 0, POSIX_FADV_DONTNEED);
	if (to >= 0 && close(to) != 0 && failure == 0) failure = errno;
	if (from >= 0) close(from);
	errno = failure;
	return failure == 0 ? 0 : -1;
}

const char *fetch_boot_files(struct dm_argv *argv) {
	static const char copy[] = BOOT_FOLDER "/ramdisk";
	long long deadline = monotonic_ms() + APPEAR_TIMEOUT_MS;
	for (size_t i = 0; i + 1 < argv->count; i++) {
		const char *option = argv->items[i], *disk = argv->items[i + 1];
		int is_ramdisk = strcmp(option, "-initrd") == 0;
		if ((!is_ramdisk && strcmp(option, "-kernel") != 0) || !after_prefix(disk, DISK_PREFIX)) continue;
		i++;
		if (wait_for_path(disk, deadline) != 0) {
			snprintf(problem, sizeof problem, "the guest's %s did not appear as %.64s", is_ramdisk ? "ramdisk" : "kernel", disk);
			return problem;
		}
		if (!is_ramdisk) continue;
		if (copy_into_memory(disk, copy) != 0) {
			snprintf(problem, sizeof problem, "the guest's ramdisk cannot be kept in memory: %s", strerror(errno));
			return problem;
		}
		free(argv->items[i]);
		argv->items[i] = strdup(copy);
		if (!argv->items[i]) return "no memory for the arguments";
	}
	return NULL;
}
