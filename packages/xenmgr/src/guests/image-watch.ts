import { CancelledError, delay, serializeError } from "@bulkhead/base";
import { imageFolderOf } from "@bulkhead/toolstack";
import type { DiskConfig } from "@bulkhead/xlcfg";
import type { Services } from "../services.ts";
import type { Guest } from "./guest.ts";
import type { Guests } from "./guests.ts";

/** The servers may be children of an earlier daemon: there is no event to wait for. */
const INTERVAL_MS = 1000;

/** Notices image servers that end while their guest runs, and tells: the guest's disk answers with errors from then on. */
export class ImageWatch {
	readonly #services: Services;
	readonly #guests: Guests;
	readonly #looking = new Set<Guest>();
	/** What has been told already. */
	readonly #told = new Set<string>();

	constructor(services: Services, guests: Guests) {
		this.#services = services;
		this.#guests = guests;
	}

	/** Runs until the signal aborts. */
	async run(signal: AbortSignal): Promise<void> {
		try {
			for (;;) {
				await delay(INTERVAL_MS, signal);
				for (const guest of this.#guests.all()) this.#start(guest);
			}
		} catch (error) {
			if (!(error instanceof CancelledError)) throw error;
		}
	}

	/** A guest that is busy with something else holds up nobody. */
	#start(guest: Guest): void {
		if (this.#looking.has(guest)) return;
		this.#looking.add(guest);
		void this.#look(guest)
			.catch((error) => {
				const { log } = this.#services;
				log.error({ guest: guest.uuid, error: serializeError(error) }, "Cannot watch the guest's image servers");
			})
			.finally(() => this.#looking.delete(guest));
	}

	async #look(guest: Guest): Promise<void> {
		for (const disk of imagesOf(guest)) {
			if (await this.#isServed(guest, disk)) continue;
			// Somebody may be about to take the disk away: only what is still amiss afterwards has failed.
			await guest.operations.run(async () => {
				if (imagesOf(guest).includes(disk) && !(await this.#isServed(guest, disk))) this.#tell(guest, disk);
			});
		}
	}

	async #isServed(guest: Guest, disk: DiskConfig): Promise<boolean> {
		const folder = imageFolderOf(guest.context(this.#services).places, disk);
		const isServed = await this.#services.hypervisor.images.isServed(folder);
		if (isServed) this.#told.delete(folder);
		return isServed || this.#told.has(folder);
	}

	#tell(guest: Guest, disk: DiskConfig): void {
		const { vdev, path } = disk;
		this.#told.add(imageFolderOf(guest.context(this.#services).places, disk));
		this.#services.log.error({ guest: guest.uuid, vdev, path }, "The server of a disk image has ended");
		this.#services.events.emit("disk-state", { guest: guest.identity, vdev, path, state: "failed" });
	}
}

const imagesOf = ({ record }: Guest): DiskConfig[] =>
	record.phase === "running"
		? record.config.disks.filter(({ format, path }) => format !== "raw" && path !== undefined)
		: [];
