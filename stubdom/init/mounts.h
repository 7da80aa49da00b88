#pragma once
/* Mounts what QEMU and init need (devtmpfs, proc, sysfs, devpts, tmpfs) and sets the kernel's knobs. Also opens the log. */
void mount_filesystems(void);
/* Mounts xenfs, once its module is there. */
void mount_xenfs(void);
