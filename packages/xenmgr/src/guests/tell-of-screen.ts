import { hasStubScreen, listenerWarning, screenOf } from "@bulkhead/toolstack";
import type { Services } from "../services.ts";
import type { Guest } from "./guest.ts";

/** Of a VNC password (RFC 6143 §7.2.2). */
const MEANT_BYTES = 8;

/** Why there is nothing to look at; undefined: there is, or the guest has no screen. */
export function screenProblem({ record }: Guest): string | undefined {
	const { config, runtime } = record;
	if (runtime.qemu && screenOf(config).vnc)
		return "The guest's QEMU is in domain 0 and shows its screen itself, where console/vnc-port in xenstore says";
	return hasStubScreen(config) && runtime.screen?.viewers === 0
		? "The stub domain's image has no screen: build it anew with this version of Bulkhead"
		: undefined;
}

/** Once a guest runs: what its administrator should know of its screen. */
export function tellOfScreen(guest: Guest, { log, screenPolicy }: Services): void {
	const { config, runtime } = guest.record;
	const problem = screenProblem(guest);
	if (problem !== undefined) log.warn({ guest: guest.uuid, name: guest.name }, problem);
	if (!config.vnc || runtime.screen?.port === undefined) return;
	const warning = listenerWarning(config.vnc, screenPolicy);
	const { address, port } = runtime.screen;
	if (warning !== undefined) log.warn({ guest: guest.uuid, name: guest.name, address, port }, warning);
	if (Buffer.byteLength(config.vnc.password ?? "") > MEANT_BYTES)
		log.warn({ guest: guest.uuid, name: guest.name }, "Of a VNC password only the first 8 characters are looked at");
}
