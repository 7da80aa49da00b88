#pragma once
#include "dm-argv.h"

/* Direct kernel boot: the toolstack gives the guest's kernel and ramdisk as two disks of this domain and names them in
 * -kernel and -initrd. QEMU reads a kernel from a block device, but maps a ramdisk by the size that stat tells, which is
 * none for a device: so the ramdisk is copied into memory and the argument names the copy. What pads the last sector
 * stays; Linux skips zeros after an initramfs. Returns NULL, or what went wrong. */
const char *fetch_boot_files(struct dm_argv *argv);
