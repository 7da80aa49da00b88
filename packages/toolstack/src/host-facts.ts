import type { Uuid } from "@bulkhead/base";
import type { CpuSet } from "@bulkhead/xlcfg";
import type { ServableDisk } from "./devices/vbd.ts";
import type { ServableNic } from "./devices/vif.ts";

/** What planning must know of the host: gathered and checked before anything is created (check-host.ts). */
export interface HostFacts {
	/** For HVM: hvmloader and the BIOS image, both readable. */
	firmware: { firmware: string; bios: string };
	/** For HVM: the stub domain's image and size, defaults filled in. */
	stub: { kernel: string; ramdisk?: string; commandLine: string; memoryKiB: number } | undefined;
	stubUuid: Uuid;
	/** For PV and PVH with `firmware`: the installed boot program, a kernel. */
	bootProgram?: string;
	/** The guest's, with what the host fills in. */
	disks: ServableDisk[];
	nics: ServableNic[];
	/** What the host lets guests of this type run on: the processors that all these sets have. */
	cpuMasks: readonly CpuSet[];
	/** For a guest with a QEMU in domain 0: its program, executable. */
	qemu?: string;
}
