import type { LabPaths } from "./lab-paths.ts";
import type { XenstoredName } from "./lab-state.ts";

export interface MachineOptions {
	accel: "tcg" | "kvm";
	sshPort: number;
	memoryMiB: number;
	dom0MemoryMiB: number;
	cpus: number;
	xenstored: XenstoredName;
}

interface Processor {
	processor: string[];
	/** On Xen's command line, and on that of dom0's kernel. */
	xen: string;
	linux: string;
}

const VIRTUALISED: Processor = { processor: ["-accel", "kvm", "-cpu", "host"], xen: "", linux: "" };

/**
 * An emulated processor does not speculate, and its time-stamp counters are one: without the fences against the first, and
 * with the trust in the second that Xen and Linux lack by themselves, a test takes two thirds of the time. Other models than
 * qemu64 make a PV dom0's kernel crash early.
 */
const EMULATED: Processor = {
	processor: ["-accel", "tcg,thread=multi,tb-size=1024", "-cpu", "qemu64,+svm,+npt,+invtsc"],
	xen: " spec-ctrl=no tsc=stable:socket clocksource=tsc",
	linux: " mitigations=off tsc=reliable clocksource=tsc",
};

/**
 * QEMU's options for a Xen host. QEMU is started in the lab's folder and sees short relative names there: its
 * multiboot loader splits `-initrd` at commas and blanks. Why each choice: README.md of the lab.
 */
export function machineArgs(options: MachineOptions, paths: LabPaths): string[] {
	const { accel, sshPort, memoryMiB, dom0MemoryMiB, cpus, xenstored } = options;
	const { processor, xen, linux } = accel === "kvm" ? VIRTUALISED : EMULATED;
	const relative = (path: string): string => path.slice(paths.dir.length + 1);
	return [
		"-name",
		"bulkhead-lab",
		...processor,
		"-smp",
		String(cpus),
		"-m",
		String(memoryMiB),
		"-nodefaults",
		"-display",
		"none",
		"-monitor",
		"none",
		"-no-reboot",
		"-chardev",
		`socket,id=serial,path=${relative(paths.serialSocket)},server=on,wait=off,logfile=${relative(paths.serialLog)},logappend=off`,
		"-serial",
		"chardev:serial",
		// The guest network reaches nothing but the forwarded port.
		"-netdev",
		`user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:${sshPort}-10.0.2.15:22`,
		"-device",
		"virtio-net-pci,netdev=net,romfile=",
		"-kernel",
		"xen",
		"-append",
		`console=com1 com1=115200,8n1 conring_size=1M dom0_mem=${dom0MemoryMiB}M,max:${dom0MemoryMiB}M loglvl=info guest_loglvl=all${xen}`,
		"-initrd",
		`vmlinux console=hvc0 panic=-1 quiet rdinit=/init bulkhead.xenstored=${xenstored}${linux},${relative(paths.initrd)}`,
	];
}
