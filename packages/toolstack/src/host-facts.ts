import type { Uuid } from "@bulkhead/base";
import type { ServableDisk } from "./devices/vbd.ts";
import type { ServableNic } from "./devices/vif.ts";
import type { PlacementSettings } from "./plan/domain-settings.ts";

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
	/** Where the guest's vcpus go, on processors that it can have; absent: wherever Xen puts them. */
	placement?: PlacementSettings;
	/** For a guest with a QEMU in domain 0: its program, executable. */
	qemu?: string;
}
