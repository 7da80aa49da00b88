/**
 * The kernel command line of the stub domain.
 *
 * - `rdinit=/init`: our init is the only program of the initramfs that runs by itself.
 * - `panic=-1`: init dying ends the domain at once, which the toolstack sees.
 * - `xen_privcmd.unrestricted=1`: QEMU needs device model calls; for kernels that have the driver built in.
 * - `8250.nr_uarts=0`: a PV domain has no UART to probe for.
 */
export const STUB_KERNEL_COMMAND_LINE: string = [
	"console=hvc0",
	"rdinit=/init",
	"panic=-1",
	"quiet",
	"xen_privcmd.unrestricted=1",
	"8250.nr_uarts=0",
].join(" ");

/** The same for tests: init takes `kill-qemu` from device-model/<guest>/test/command. */
export const STUB_TEST_KERNEL_COMMAND_LINE: string = `${STUB_KERNEL_COMMAND_LINE} bulkhead.test=1`;

/** What a stub domain of the default image runs well in, in MiB (the floor is in README.md). */
export const RECOMMENDED_STUB_MEMORY_MIB = 128;

/** The same for an image with Debian's kernel. */
export const DEBIAN_STUB_MEMORY_MIB = 192;
