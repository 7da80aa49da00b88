import { type DomId, domId } from "@bulkhead/base";
import { XenstoreClient } from "@bulkhead/xenstore";
import { XenstoreServer } from "@bulkhead/xenstore/server";
import { onTestFinished } from "vitest";
import { xenbusPaths } from "../src/devices/xenbus-device.ts";

export const GUEST: DomId = domId(5);
export const NEIGHBOUR: DomId = domId(6);
export const DEVICE = { domid: GUEST, kind: "vbd", devid: 51712 } as const;

/** Domain 0 and two guests with a disk each, on an xenstored in memory. */
export class XenbusWorld {
	readonly server: XenstoreServer = new XenstoreServer();
	readonly dom0: XenstoreClient = XenstoreClient.over(this.server.connectClient());
	readonly guest: XenstoreClient;
	readonly paths: ReturnType<typeof xenbusPaths> = xenbusPaths(DEVICE);

	constructor() {
		for (const domid of [GUEST, NEIGHBOUR]) {
			this.server.introduceDomain(domid);
			this.#addDisk(domid);
			this.server.host.write(`/local/domain/${domid}/error`, "", [{ domid, access: "none" }]);
		}
		this.guest = XenstoreClient.over(this.server.connectDomain(GUEST));
		onTestFinished(async () => {
			this.guest.close();
			this.dom0.close();
			await this.server.close();
		});
	}

	/** The tree without what belongs to the device and its guest's errors: nobody else's nodes may change. */
	get others(): Record<string, string> {
		const { frontend, backend, frontendError } = this.paths;
		const own = [frontend, backend, frontendError, `/local/domain/${GUEST}/error`, `/local/domain/${GUEST}/device`];
		const isOwn = (path: string): boolean =>
			own.some((prefix) => path === prefix || path.startsWith(`${prefix}/`)) ||
			path === `/local/domain/0/backend/vbd/${GUEST}`;
		return Object.fromEntries(Object.entries(this.server.host.toJSON()).filter(([path]) => !isOwn(path)));
	}

	state(): string | undefined {
		return this.server.host.find(`${this.paths.backend}/state`);
	}

	/** As blkback: closes when its frontend has closed or is gone. */
	async runBackend(signal: AbortSignal): Promise<void> {
		const { frontend, backend } = this.paths;
		const store = XenstoreClient.over(this.server.connectClient());
		try {
			for await (const _ of store.watch(`${frontend}/state`, { signal })) {
				const state = await store.find(`${frontend}/state`);
				if (state !== undefined && state !== "6") continue;
				if ((await store.find(`${backend}/state`)) !== undefined) await store.write(`${backend}/state`, "6");
			}
		} catch (error) {
			if (!signal.aborted) throw error;
		} finally {
			store.close();
		}
	}

	/** As blkfront: closes when it is told to. */
	async runFrontend(signal: AbortSignal): Promise<void> {
		const { frontend, backend } = this.paths;
		try {
			for await (const _ of this.guest.watch(`${backend}/state`, { signal })) {
				// A backend that is gone hides behind its parents' permissions.
				const state = await this.guest.find(`${backend}/state`).catch(() => undefined);
				if (state === "5") await this.guest.write(`${frontend}/state`, "6");
			}
		} catch (error) {
			if (!signal.aborted) throw error;
		}
	}

	#addDisk(domid: DomId): void {
		const { host } = this.server;
		const { frontend, backend } = xenbusPaths({ ...DEVICE, domid });
		const owned = [{ domid, access: "none" } as const];
		const readable = [{ domid: domId(0), access: "none" } as const, { domid, access: "read" } as const];
		host.write(frontend, "", owned);
		for (const [name, value] of Object.entries({ state: "4", backend, "backend-id": "0" }))
			host.write(`${frontend}/${name}`, value, owned);
		host.write(backend, "", readable);
		for (const [name, value] of Object.entries({ state: "4", frontend, online: "1", "frontend-id": `${domid}` }))
			host.write(`${backend}/${name}`, value, readable);
	}
}
