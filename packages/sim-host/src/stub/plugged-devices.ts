import { FakeRefusal } from "@bulkhead/qmp/testing";

type Args = Record<string, unknown>;

/** What was plugged into a QEMU that runs (`device_add`), as far as ids, buses and ports go. */
export class PluggedDevices {
	readonly #devices = new Map<string, { driver?: string; bus?: string; port?: string }>();

	readonly handlers = {
		device_add: (args: Args): void => this.#add(args),
		device_del: (args: Args): void => this.#remove(text(args, "id")),
		"qom-list": (args: Args): unknown => this.#list(text(args, "path")),
	};

	#add(args: Args): void {
		const [id, driver, bus, port] = (["id", "driver", "bus", "port"] as const).map((key) => text(args, key));
		if (!id || this.#devices.has(id)) throw new FakeRefusal("GenericError", `Duplicate device ID '${id}'`);
		if (bus && !this.#devices.has(bus.replace(/\.0$/, "")))
			throw new FakeRefusal("GenericError", `Bus '${bus}' not found`);
		if (port && [...this.#devices.values()].some((each) => each.bus === bus && each.port === port))
			throw new FakeRefusal("GenericError", `usb port ${port} (bus ${bus}) not found (in use?)`);
		this.#devices.set(id, { driver, bus, port });
	}

	#remove(id: string): void {
		if (!this.#devices.delete(id)) throw new FakeRefusal("DeviceNotFound", `Device '${id}' not found`);
	}

	#list(path: string): unknown {
		if (path !== "/machine/peripheral") throw new FakeRefusal("DeviceNotFound", `Device '${path}' not found`);
		return [...this.#devices].map(([name, { driver }]) => ({ name, type: `child<${driver}>` }));
	}
}

/** "" when it is not there. */
function text(args: Args, key: string): string {
	const value = args[key];
	return typeof value === "string" ? value : "";
}
