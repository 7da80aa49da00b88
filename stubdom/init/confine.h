#pragma once
/* Puts a system call filter on the calling process, for QEMU to inherit: Debian's Xen build of QEMU lacks its own
 * (-sandbox). Returns 0, or -1 with errno. */
int confine_device_model(void);
