import { domId, evtchnPort, grantRef } from "@bulkhead/base";
import type { SimMachine } from "@bulkhead/hypervisor/sim";
import type { XenstoreClient } from "@bulkhead/xenstore";
import { awaitState, XENBUS_STATE } from "./xenbus.ts";

/** What a driver domain's kernel finds on its command line. */
const WORD = "bulkhead.driver-domain";
const A_DAY_MS = 86_400_000;
const RINGS = { vbd: ["ring-ref"], vif: ["tx-ring-ref", "rx-ring-ref"] } as const;
type Kind = keyof typeof RINGS;

interface DriverDomain {
	machine: SimMachine;
	store: XenstoreClient;
	/** It takes devices and never gives them back. */
	isDeaf: boolean;
}

export const isDriverDomain = ({ image }: SimMachine): boolean =>
	"commandLine" in image && image.commandLine.includes(WORD);

/**
 * The backends of a driver domain, with its own toolstack (xl devd) that sets them up: each device that appears below the
 * domain's backend node is connected, closed when it is asked to, and its directory removed. No request is carried.
 */
export async function serveDevices(driver: DriverDomain): Promise<void> {
	const { machine, store } = driver;
	const root = `/local/domain/${machine.domid}/backend`;
	const place = new RegExp(`^${root}/(vbd|vif)/\\d+/\\d+`);
	const served = new Set<string>();
	try {
		for await (const changed of store.watch(root, { signal: machine.signal })) {
			const [path, kind] = place.exec(changed) ?? [];
			if (path === undefined || served.has(path)) continue;
			// A directory is there with all its keys, or not at all.
			if ((await store.find(`${path}/state`)) !== XENBUS_STATE.initialising) continue;
			served.add(path);
			void serveDevice(driver, kind as Kind, path)
				.catch((error: unknown) => {
					if (!machine.signal.aborted) machine.log(`driver domain: ${String(error)}`);
				})
				.finally(() => served.delete(path));
		}
	} catch (error) {
		if (!machine.signal.aborted) machine.log(`driver domain: ${String(error)}`);
	}
}

async function serveDevice(driver: DriverDomain, kind: Kind, path: string): Promise<void> {
	const { machine, store, isDeaf } = driver;
	const isOffline = store.waitFor(`${path}/online`, (online) => online !== "1", {
		timeoutMs: A_DAY_MS,
		signal: machine.signal,
	});
	const connected = connect(driver, kind, path);
	connected.catch(() => {});
	isOffline.catch(() => {});
	await Promise.race([connected, isOffline]);
	await isOffline;
	// A frontend that has never offered its rings leaves nothing to let go of.
	void connected.then((letGo) => letGo()).catch(() => {});
	if (isDeaf || (await store.find(`${path}/state`)) === undefined) return;
	await store.write(`${path}/state`, XENBUS_STATE.closed);
	await store.remove(path);
}

/** Answers how to let go of the frontend's pages and port. */
async function connect({ machine, store }: DriverDomain, kind: Kind, path: string): Promise<() => void> {
	const [frontend, owner] = await Promise.all([
		store.readText(`${path}/frontend`),
		store.readText(`${path}/frontend-id`),
	]);
	await store.write(`${path}/state`, XENBUS_STATE.initWait);
	await awaitState(store, frontend, [XENBUS_STATE.initialised, XENBUS_STATE.connected], machine.signal);
	const domid = domId(owner);
	const { grants, evtchns } = machine.process.rings;
	const refs = await Promise.all(RINGS[kind].map((key) => store.readText(`${frontend}/${key}`)));
	const port = evtchnPort(await store.readText(`${frontend}/event-channel`));
	const rings = refs.map((ref) => grants.map(domid, [grantRef(ref)], { writable: true }));
	const channel = evtchns.bindInterdomain(domid, port, () => {});
	await Promise.all([
		store.write(`${path}/hotplug-status`, "connected"),
		store.write(`${path}/state`, XENBUS_STATE.connected),
	]);
	return () => {
		for (const ring of rings) ring.unmap();
		channel.close();
	};
}
