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
	/** Its first processor cannot run guests by SVM. */
	firstIsUnsafe: boolean;
}

const VIRTUALISED: Processor = {
	processor: ["-accel", "kvm", "-cpu", "host"],
	xen: "",
	linux: "",
	firstIsUnsafe: false,
};

/**
 * An emulated processor does not speculate, and its time-stamp counters are one: without the fences against the first, and
 * with the trust in the second that Xen and Linux lack by themselves, a test takes two thirds of the time. Other models than
 * qemu64 make a PV dom0's kernel crash early.
 *
 * Any processor of QEMU that loads FPU state clears IGNNE# of the first one, from its own thread and without a lock
 * (target/i386/tcg/sysemu/fpu_helper.c: cpu_clear_ignne). What stands in the same word, the first one's thread may lose
 * then: that it is in a guest, that it has left it, or that it takes interrupts (HF2_NPT_MASK, HF2_GIF_MASK). A guest
 * dies of it in a triple fault, or the host stops. Without guests under SVM the first processor never changes that word.
 */
const EMULATED: Processor = {
	processor: ["-accel", "tcg,thread=multi,tb-size=1024", "-cpu", "qemu64,+svm,+npt,+invtsc"],
	xen: " spec-ctrl=no tsc=stable:socket clocksource=tsc",
	linux: " mitigations=off tsc=reliable clocksource=tsc",
	firstIsUnsafe: true,
};

/**
 * QEMU's options for a Xen host. QEMU is started in the lab's folder and sees short relative names there: its
 * multiboot loader splits `-initrd` at commas and blanks. Why each choice: README.md of the lab.
 */
export function machineArgs(options: MachineOptions, paths: LabPaths): string[] {
	const { accel, sshPort, memoryMiB, dom0MemoryMiB, cpus, xenstored } = options;
	const { processor, xen, linux, firstIsUnsafe } = accel === "kvm" ? VIRTUALISED : EMULATED;
	const others = cpus > 2 ? `1-${cpus - 1}` : "1";
	const hvmGuestCpus = firstIsUnsafe && cpus > 1 ? ` bulkhead.hvm_guest_cpus=${others}` : "";
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
		`vmlinux console=hvc0 panic=-1 quiet rdinit=/init bulkhead.xenstored=${xenstored}${hvmGuestCpus}${linux},${relative(paths.initrd)}`,
	];
}
