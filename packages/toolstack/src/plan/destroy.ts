import type { NicConfig } from "@bulkhead/xlcfg";
import { type Plan, parallel, serial, step } from "../executor.ts";
import type { GuestRuntime } from "../runtime.ts";
import type { DestroyStep, Role } from "../steps.ts";

/**
 * Decides what is taken from a guest that has ended and whose domain stays to be looked at: all but its memory. Another
 * domain is to have its disks, nics and consoles.
 */
export function planStrip(runtime: GuestRuntime): Plan<DestroyStep> {
	const hasDeviceModel = runtime.stub?.domid !== undefined;
	return serial<DestroyStep>(
		...(hasDeviceModel ? [step<DestroyStep>({ name: "flush-disks" })] : []),
		step({ name: "forget-relay", purge: false }),
		...(runtime.qemu ? [step<DestroyStep>({ name: "stop-qemu" })] : []),
		...(hasDeviceModel
			? [
					step<DestroyStep>({ name: "destroy-domain", role: "stub" }),
					step<DestroyStep>({ name: "remove-devices", role: "stub" }),
					step<DestroyStep>({ name: "remove-nodes", role: "stub" }),
					step<DestroyStep>({ name: "await-gone", role: "stub" }),
				]
			: []),
		step({ name: "strip-guest" }),
		...(runtime.screen ? [step<DestroyStep>({ name: "close-screen" })] : []),
		step({ name: "release-disks" }),
	);
}

/**
 * Decides how a guest is taken away, wholly or half made. QEMU writes out what it holds while it can still be asked. The
 * rings go first (a domain stays `dying` while its pages are mapped here), then the device model, whose ioreq server
 * refers to the guest, then the guest. Without `purge` the
 * console journals stay, for a guest that is about to be started again.
 */
export function planDestroy(
	runtime: GuestRuntime,
	{ purge, nics = [], hasChannels = false }: { purge: boolean; nics?: readonly NicConfig[]; hasChannels?: boolean },
): Plan<DestroyStep> {
	const roles: Role[] = runtime.stub ? ["stub", "guest"] : ["guest"];
	// A stub domain that was never made has no QEMU to ask.
	const hasDeviceModel = runtime.stub?.domid !== undefined && runtime.guest.domid !== undefined;
	return serial<DestroyStep>(
		...(hasDeviceModel ? [step<DestroyStep>({ name: "flush-disks" })] : []),
		step({ name: "forget-relay", purge }),
		...(runtime.qemu ? [step<DestroyStep>({ name: "stop-qemu" })] : []),
		...roles.map((role) => step<DestroyStep>({ name: "destroy-domain", role })),
		parallel(...roles.map((role) => step<DestroyStep>({ name: "remove-devices", role }))),
		// Only scripts have something to take back, and they read the nodes: an interface goes with its driver.
		...(nics.some(({ script }) => script !== undefined)
			? [parallel(...roles.map((role) => step<DestroyStep>({ name: "disconnect-nics", role })))]
			: []),
		parallel(...roles.map((role) => step<DestroyStep>({ name: "remove-nodes", role }))),
		parallel(...roles.map((role) => step<DestroyStep>({ name: "await-gone", role }))),
		...(runtime.pci ? [step<DestroyStep>({ name: "release-pci" })] : []),
		// Who waits at a socket of a guest that is started again goes on waiting.
		...(purge && hasChannels ? [step<DestroyStep>({ name: "close-channels" })] : []),
		...(purge && runtime.screen ? [step<DestroyStep>({ name: "close-screen" })] : []),
		step({ name: "release-disks" }),
	);
}
