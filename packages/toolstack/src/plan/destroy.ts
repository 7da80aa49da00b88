import { type Plan, parallel, serial, step } from "../executor.ts";
import type { GuestRuntime } from "../runtime.ts";
import type { DestroyStep, Role } from "../steps.ts";

/**
 * Decides how a guest is taken away, wholly or half made. The rings go first (a domain stays `dying` while its pages
 * are mapped here), then the device model, whose ioreq server refers to the guest, then the guest. Without `purge` the
 * console journals stay, for a guest that is about to be started again.
 */
export function planDestroy(runtime: GuestRuntime, { purge }: { purge: boolean }): Plan<DestroyStep> {
	const roles: Role[] = runtime.stub ? ["stub", "guest"] : ["guest"];
	return serial<DestroyStep>(
		step({ name: "forget-relay", purge }),
		...(runtime.qemu ? [step<DestroyStep>({ name: "stop-qemu" })] : []),
		...roles.map((role) => step<DestroyStep>({ name: "destroy-domain", role })),
		parallel(...roles.map((role) => step<DestroyStep>({ name: "remove-nodes", role }))),
		parallel(...roles.map((role) => step<DestroyStep>({ name: "await-gone", role }))),
		step({ name: "release-disks" }),
	);
}
