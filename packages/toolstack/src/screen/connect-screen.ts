import type { ScreenDoor, ToolstackContext } from "../context.ts";
import type { DeviceModelPlace } from "../device-model/await-running.ts";
import { domainPath } from "../domain/paths.ts";
import { DeviceModelError } from "../errors.ts";
import { findScreenVchans } from "./find-screen-vchans.ts";
import { screenDoor } from "./screen-listener.ts";

/**
 * Hands the screen of a guest with a stub domain to the relay: the stub's vchans, and the socket for viewers on TCP.
 * Where that is goes to the nodes that other tools read (libxl: console/vnc-listen, vnc-port); never the password, which
 * the guest could read there.
 * @param onNoDoor its screen is served without TCP then, and this told why; by default that is an error
 * @throws DeviceModelError for a stub domain without screen whose guest has `vnc = 1`; ProtocolError
 */
export async function connectScreen(
	context: ToolstackContext,
	place: DeviceModelPlace,
	onNoDoor?: (error: unknown) => void,
): Promise<void> {
	const { config, runtime, xenstore, rings, saveRuntime } = context;
	const slots = await findScreenVchans(xenstore, place);
	runtime.screen = { ...runtime.screen, viewers: slots.length };
	await saveRuntime();
	if (slots.length === 0) {
		if (!config.vnc) return;
		throw new DeviceModelError("The stub domain's image has no screen, and vnc = 1 asks for one", {
			remedy: "Build the image anew with this version of Bulkhead, or remove vnc",
			fields: { domid: place.stub },
		});
	}
	const door = await openDoor(context, onNoDoor);
	await rings.attachScreen({ guest: config.uuid, domid: place.stub, slots, ...(door && { door }) });
	if (!door) return;
	const console = `${domainPath(place.guest.domid)}/console`;
	await xenstore.write(`${console}/vnc-listen`, door.address);
	await xenstore.write(`${console}/vnc-port`, `${door.port}`);
}

async function openDoor(
	context: ToolstackContext,
	onNoDoor: ((error: unknown) => void) | undefined,
): Promise<ScreenDoor | undefined> {
	try {
		return await screenDoor(context);
	} catch (error) {
		if (!onNoDoor) throw error;
		onNoDoor(error);
		return undefined;
	}
}
