import type { Duplex } from "node:stream";
import type { ScreenSlot } from "@bulkhead/api/relay";
import { type DomId, withDeadline } from "@bulkhead/base";
import type { RingHost } from "@bulkhead/hypervisor";
import { openVacantVchanClient } from "@bulkhead/vchan";
import { greetQemu } from "./rfb/greet-qemu.ts";

/** The stub domain's init sees a viewer go within milliseconds; QEMU answers at once or never. */
const VACANCY_MS = 5000;
const GREETING_MS = 10_000;

/** A way to a guest's QEMU that says it is ready for one viewer. Holds nothing when it fails. */
export async function dialScreen(
	{ grants, evtchns }: RingHost,
	{ domid, slot, signal }: { domid: DomId; slot: ScreenSlot; signal: AbortSignal },
): Promise<Duplex> {
	const wait = { timeoutMs: VACANCY_MS, signal, what: "the screen's vchan to be free" };
	const vchan = await openVacantVchanClient({ grants, evtchns, domid, ...slot }, wait);
	vchan.on("error", () => {}); // "close" follows
	// At once: a domain stays while its pages are mapped here.
	const destroy = (): void => void vchan.destroy();
	signal.addEventListener("abort", destroy, { once: true });
	vchan.once("close", () => signal.removeEventListener("abort", destroy));
	try {
		await withDeadline(greetQemu(vchan), { timeoutMs: GREETING_MS, signal, what: "the guest's screen to answer" });
		return vchan;
	} catch (error) {
		vchan.destroy();
		throw error;
	}
}
