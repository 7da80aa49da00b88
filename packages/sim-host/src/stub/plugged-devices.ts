import { FakeRefusal } from "@bulkhead/qmp/testing";

type Args = Record<string, unknown>;

/** What was plugged into a QEMU that runs (`device_add`), as far as ids, buses and ports go. */
export class PluggedDevices {
	readonly #devices = new Map<string, { driver: string; bus?: string; port?: string }>();

	readonly handlers = {
		device_add: (args: Args): void => this.#add(args),
		device_del: ({ id }: Args): void => this.#remove(`${id}`),
		"qom-list": ({ path }: Args): unknown => this.#list(`${path}`),
	};

	#add({ id, driver, bus, port }: Args): void {
		const name = `${id}`;
		if (this.#devices.has(name)) throw new FakeRefusal("GenericError", `Duplicate device ID '${name}'`);
		if (bus !== undefined && !this.#devices.has(`${bus}`.replace(/\.0$/, "")))
			throw new FakeRefusal("GenericError", `Bus '${bus}' not found`);
		if (port !== undefined && [...this.#devices.values()].some((each) => each.bus === bus && each.port === port))
			throw new FakeRefusal("GenericError", `usb port ${port} (bus ${bus}) not found (in use?)`);
		this.#devices.set(name, {
			driver: `${driver}`,
			...(bus !== undefined && { bus: `${bus}` }),
			...(port !== undefined && { port: `${port}` }),
		});
	}

	#remove(id: string): void {
		if (!this.#devices.delete(id)) throw new FakeRefusal("DeviceNotFound", `Device '${id}' not found`);
	}

	#list(path: string): unknown {
		if (path !== "/machine/peripheral") throw new FakeRefusal("DeviceNotFound", `Device '${path}' not found`);
		return [...this.#devices].map(([name, { driver }]) => ({ name, type: `child<${driver}>` }));
	}
}
