import { constants } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { BulkheadError, Mutex, type Uuid, uuid } from "@bulkhead/base";
import type { GuestRuntime } from "@bulkhead/toolstack";
import { type GuestConfig, guestConfigFromJson } from "@bulkhead/xlcfg";

/**
 * Where a guest is in its life, as far as this daemon has promised something: a daemon that finds `creating` or
 * `ending` on start takes away what is there; one that finds `running` adopts it.
 */
export type GuestPhase = "creating" | "running" | "ending" | "preserved";

export interface GuestRecord {
	version: 1;
	uuid: Uuid;
	config: GuestConfig;
	phase: GuestPhase;
	runtime: GuestRuntime;
	/** ISO 8601. */
	createdAt: string;
	/** When the present domain was started; differs from createdAt after a reboot. */
	startedAt?: string;
	/** A restart is under way: whoever finds the guest half gone starts it again. */
	restarting?: boolean;
	/** Why its QEMU or its stub domain is gone, while the guest is still there. */
	deviceModelFailure?: string;
	/** How the domain before this one ended. */
	lastEnd?: { reason: string; at: string };
}

const RECORD_FILE = /^([0-9a-f-]{36})\.json$/;

/** One JSON file a guest; every save is atomic and on the disk when it returns. */
export class GuestStore {
	readonly #directory: string;
	/** One write at a time: two domains of a guest are made side by side, and both are written down. */
	readonly #writing = new Mutex();

	private constructor(directory: string) {
		this.#directory = directory;
	}

	static async open(directory: string): Promise<GuestStore> {
		await mkdir(directory, { recursive: true, mode: 0o700 });
		return new GuestStore(directory);
	}

	/** Every readable record, and what is wrong with the others (they are left where they are). */
	async loadAll(): Promise<{ records: GuestRecord[]; broken: { file: string; error: Error }[] }> {
		const records: GuestRecord[] = [];
		const broken: { file: string; error: Error }[] = [];
		for (const name of await readdir(this.#directory)) {
			const id = RECORD_FILE.exec(name)?.[1];
			if (id === undefined) continue;
			const file = join(this.#directory, name);
			try {
				records.push(parseRecord(await readFile(file, "utf8"), uuid(id)));
			} catch (cause) {
				const details = { cause, remedy: "Repair or remove the file, then restart bulkheadd", fields: { file } };
				broken.push({ file, error: new BulkheadError("record-broken", `Cannot read the record ${file}`, details) });
			}
		}
		return { records, broken };
	}

	async save(record: GuestRecord): Promise<void> {
		await this.#writing.run(() => this.#write(record));
	}

	async #write(record: GuestRecord): Promise<void> {
		const target = this.#fileOf(record.uuid);
		const temporary = `${target}.new`;
		const file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
		try {
			await file.writeFile(JSON.stringify(record));
			await file.sync();
		} finally {
			await file.close();
		}
		await rename(temporary, target);
	}

	async remove(id: Uuid): Promise<void> {
		await this.#writing.run(async () => {
			await rm(this.#fileOf(id), { force: true });
			await rm(`${this.#fileOf(id)}.new`, { force: true });
		});
	}

	#fileOf(id: Uuid): string {
		return join(this.#directory, `${id}.json`);
	}
}

function parseRecord(text: string, id: Uuid): GuestRecord {
	const value = JSON.parse(text) as Partial<GuestRecord>;
	if (value.version !== 1) throw new BulkheadError("record-version", `Record version ${value.version} is not known`);
	if (value.uuid !== id || !value.runtime?.guest || !value.phase)
		throw new BulkheadError("record-malformed", "The record lacks its uuid, phase or runtime");
	return { ...(value as GuestRecord), config: guestConfigFromJson(value.config) };
}
