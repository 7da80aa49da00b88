import { InvalidInputError } from "@bulkhead/base";
import { type HeldListener, HypervisorError } from "@bulkhead/hypervisor";
import { readKeys } from "../channels/channel-keys.ts";
import type { ScreenDoor, ToolstackContext } from "../context.ts";
import { listenAddress, listenPorts } from "./screen-policy.ts";

type Host = Pick<
	ToolstackContext,
	"config" | "runtime" | "hypervisor" | "listeners" | "screenPolicy" | "saveRuntime" | "xenstore"
>;

/** Beside the channels' listeners; no channel has such a name. */
const HELD = "/screen";

/**
 * The TCP socket of a guest with `vnc = 1`: the one that is held, else one at the place that it had (a daemon has
 * died), else at the first free port. Written down before anybody is told of it.
 * @throws InvalidInputError `screen-refused`; HypervisorError
 */
export async function holdScreenListener(host: Host): Promise<void> {
	const { config, runtime, hypervisor, listeners, saveRuntime } = host;
	if (!config.vnc || listeners.has(HELD)) return;
	const address = listenAddress(config.vnc);
	const known = runtime.screen?.port;
	const ports = known === undefined ? listenPorts(config.vnc) : [known];
	const { listener, port } = listenFirst(hypervisor.listeners, address, ports);
	listeners.set(HELD, listener);
	runtime.screen = { ...runtime.screen, address, port };
	await saveRuntime();
}

/** What the relay needs to let viewers in by TCP; undefined: they come by its socket alone. @throws FileUnusableError */
export async function screenDoor(host: Host): Promise<ScreenDoor | undefined> {
	const { config, runtime, listeners, screenPolicy } = host;
	await holdScreenListener(host);
	const listener = listeners.get(HELD);
	const { address, port } = runtime.screen ?? {};
	if (!listener || address === undefined || port === undefined) return undefined;
	const { password } = config.vnc ?? {};
	const tls = screenPolicy.tls && (await readScreenKeys(screenPolicy.tls));
	return { listener, address, port, ...(password !== undefined && { password }), ...(tls && { tls }) };
}

/** @throws FileUnusableError */
export async function readScreenKeys(files: { cert: string; key: string }): Promise<{ cert: string; key: string }> {
	const { cert = "", key = "" } = await readKeys(files, "screen's");
	return { cert, key };
}

/** The relay has let go of it, or does with the guest. Safe to repeat. */
export function closeScreenListener({ listeners, runtime }: Pick<Host, "listeners" | "runtime">): void {
	listeners.get(HELD)?.close();
	listeners.delete(HELD);
	runtime.screen = undefined;
}

function listenFirst(
	listeners: Host["hypervisor"]["listeners"],
	address: string,
	ports: readonly number[],
): { listener: HeldListener; port: number } {
	let last: unknown;
	for (const port of ports) {
		try {
			return { listener: listeners.listen({ address, port }), port };
		} catch (error) {
			if (!(error instanceof HypervisorError) || error.errno !== "EADDRINUSE") throw error;
			last = error;
		}
	}
	throw new InvalidInputError(
		`No VNC display is free on ${address}: port ${ports[0]}${ports.length > 1 ? ` to ${ports.at(-1)}` : ""} is taken`,
		{
			cause: last,
			remedy: "Choose another vncdisplay, or set vncunused = 1",
			fields: { address, first: ports[0], last: ports.at(-1) },
		},
		"screen-refused",
	);
}
