import { type FakeQemuOptions, FakeRefusal } from "@bulkhead/qmp/testing";

type Handlers = NonNullable<FakeQemuOptions["handlers"]>;

const DRIVE = /^if=none,readonly=on,id=(ide-\d+)(?:,file=([^,]+),format=host_device)?$/;

/** The CD drives of a simulated QEMU, and the descriptors of media that its stub domain's init has given it. */
export class CdDrives {
	readonly handlers: Handlers;
	readonly #media = new Map<string, string | undefined>();
	readonly #descriptors = new Map<number, string>();
	#lastSet = 1;

	constructor(args: readonly string[], refusedMedia: number) {
		for (const arg of args) {
			const [, id, file] = DRIVE.exec(arg) ?? [];
			if (id !== undefined) this.#media.set(id, file);
		}
		let refusals = refusedMedia;
		this.handlers = {
			eject: ({ id }) => this.#put(id, undefined),
			"query-fdsets": () =>
				[...this.#descriptors].map(([set, opaque]) => ({ "fdset-id": set, fds: [{ fd: 20 + set, opaque }] })),
			"remove-fd": (args) => {
				if (!this.#descriptors.delete(args["fdset-id"] as number)) throw new FakeRefusal("GenericError", "No such set");
			},
			"blockdev-change-medium": ({ id, filename, format }) => {
				const file = String(filename);
				const set = Number(/^\/dev\/fdset\/(\d+)$/.exec(file)?.[1]);
				if (refusals-- > 0 || format !== "host_device" || !this.#descriptors.has(set))
					throw new FakeRefusal("GenericError", `Could not open '${file}': No medium found`);
				this.#put(id, file);
			},
		};
	}

	mediumOf(devnum: number): string | undefined {
		return this.#media.get(`ide-${devnum}`);
	}

	addDescriptor(devnum: number): void {
		if (this.#media.has(`ide-${devnum}`)) this.#descriptors.set(++this.#lastSet, `stub-devid:${devnum}`);
	}

	#put(id: unknown, medium: string | undefined): void {
		const name = String(id);
		if (!this.#media.has(name)) throw new FakeRefusal("DeviceNotFound", `Device '${name}' not found`);
		this.#media.set(name, medium);
	}
}
