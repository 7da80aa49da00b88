/** Where tests put the kernel and the ramdisk of the Linux disk. */
export const FOLDER = "/tmp/direct-boot";

export const LINUX = "/etc/bulkhead/examples/linux.cfg";

/** What the Linux disk says once it is up. */
export const READY = /BULKHEAD-GUEST-READY disk-sha256=[0-9a-f]{64} write=ok/;

/** The Linux disk's own, and a word by which to know that it came from here. */
const COMMAND_LINE = [
	"console=ttyS0,115200 rdinit=/init quiet panic=-1 xen_emul_unplug=never tsc=unstable no_timer_check pci=noearly",
	"iommu=off 8250.nr_uarts=1 cryptomgr.notests nokaslr mitigations=off audit=0 apparmor=0 bulkhead.direct=1",
].join(" ");

/** Makes the Linux example boot them. */
export const DIRECT_BOOT = [`kernel="${FOLDER}/vmlinuz"`, `ramdisk="${FOLDER}/initrd"`, `cmdline="${COMMAND_LINE}"`];

/** Makes the PV example a PVH guest of the Linux disk's kernel. */
export const PVH = [
	'type="pvh"',
	`kernel="${FOLDER}/vmlinuz"`,
	'cmdline="console=hvc0 rdinit=/init quiet panic=-1 nokaslr mitigations=off audit=0 tsc=unstable"',
	"memory=192",
];
