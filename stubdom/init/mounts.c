#include "mounts.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "log.h"
#include "small-file.h"

static void mount_one(const char *type, const char *target, const char *options) {
	mkdir(target, 0755);
	if (mount(type, target, type, MS_NOSUID | MS_NOEXEC, options) != 0)
		log_line("cannot mount %s on %s: %s", type, target, strerror(errno));
}

void mount_filesystems(void) {
	mkdir("/dev", 0755);
	int failure = mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755") == 0 ? 0 : errno;
	log_open();
	/* EBUSY: a kernel with CONFIG_DEVTMPFS_MOUNT did it. */
	if (failure != 0 && failure != EBUSY) log_line("cannot mount devtmpfs on /dev: %s", strerror(failure));
	mount_one("proc", "/proc", NULL);
	mount_one("sysfs", "/sys", NULL);
	mount_one("devpts", "/dev/pts", "mode=0620,ptmxmode=0666");
	mount_one("tmpfs", "/tmp", "size=16m,mode=1777");
	mount_one("tmpfs", "/run", "size=4m,mode=0755");
	/* QEMU maps the guest's memory over large anonymous reservations. */
	if (write_small_file("/proc/sys/vm/overcommit_memory", "1") != 0)
		log_line("cannot set vm.overcommit_memory: %s", strerror(errno));
}

void mount_xenfs(void) {
	mount_one("xenfs", "/proc/xen", NULL);
}
