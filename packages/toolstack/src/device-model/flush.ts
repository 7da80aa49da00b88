import { withDeadline } from "@bulkhead/base";
import type { ToolstackContext } from "../context.ts";

/**
 * What a guest has written lies in its stub domain's memory (cache=writeback) until somebody flushes. QEMU's `stop` does,
 * whether the guest runs or not (cpus.c: do_vm_stop); a real disk's cache, too, outlives the power button for a moment.
 */
const FLUSH_MS = 3_000;

/** Has QEMU write everything out, within its time; one that is dead, hostile or slow does not hold a destroy up. */
export async function flushDisks({ rings, config }: Pick<ToolstackContext, "rings" | "config">): Promise<boolean> {
	const stopped = rings.executeQmp(config.uuid, "stop", undefined, FLUSH_MS);
	try {
		await withDeadline(stopped, { timeoutMs: FLUSH_MS, what: "QEMU to write out what it holds" });
		return true;
	} catch {
		return false;
	}
}
