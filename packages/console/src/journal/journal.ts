import { constants as OPEN_FLAGS } from "node:fs";
import { join } from "node:path";
import { type JournalFiles, realFiles } from "./journal-files.ts";
import {
	findSidecar,
	newSidecar,
	type Segment,
	type Sidecar,
	segmentPath,
	sidecarPath,
	writeSidecar,
} from "./sidecar.ts";

export interface JournalOptions {
	/** A directory of the toolstack's making (a guest's uuid); created with mode 0750 when missing. */
	directory: string;
	/** The console's label: becomes part of file names, so never text from a guest. */
	label: string;
	/** A segment is closed when it holds this much; two are kept. Default 1 MiB. */
	segmentBytes?: number;
	files?: JournalFiles;
}

const DEFAULT_SEGMENT_BYTES = 1024 * 1024;
const LABEL = /^[a-z][a-z0-9-]{0,31}$/;

/**
 * The durable record of one console's output: a stream of bytes numbered from 0, of which the newest one to two
 * segments are on disk.
 *
 * Files: `<label>.<generation>.seg` (plain bytes), `<label>.json` (Sidecar), `<label>.log` (a link to the current
 * segment, for people). Every write is synchronous: once `append` returns, the bytes survive the death of this process
 * (not the host's loss of power). A death between any two file calls leaves a journal that `open` continues: a segment's
 * length is its file's, everything else changes by one rename.
 *
 * A segment that is given up is unlinked and never truncated, so that a second Journal on the same files, closing
 * down while its readers drain, still reads what it had.
 */
export class Journal {
	readonly path: string;
	readonly #files: JournalFiles;
	readonly #directory: string;
	readonly #label: string;
	readonly #segmentBytes: number;
	#sidecar: Sidecar;
	#currentFd: number;
	#currentBytes: number;
	/** What was appended last: a reader that is up to date wants nothing else, and is spared the file. */
	#newest: { offset: number; bytes: Uint8Array } = { offset: 0, bytes: new Uint8Array(0) };
	#previousFd: number | undefined;
	#closed = false;

	static open(options: JournalOptions): Journal {
		if (!LABEL.test(options.label)) throw new RangeError(`No console label: ${JSON.stringify(options.label)}`);
		return new Journal(options);
	}

	/** Like `open`, but makes nothing: undefined when there is no journal of that name. */
	static find(options: JournalOptions): Journal | undefined {
		const path = sidecarPath(options.directory, options.label);
		return findSidecar(options.files ?? realFiles, path) && Journal.open(options);
	}

	private constructor({ directory, label, segmentBytes = DEFAULT_SEGMENT_BYTES, files = realFiles }: JournalOptions) {
		this.#files = files;
		this.#directory = directory;
		this.#label = label;
		this.#segmentBytes = segmentBytes;
		this.path = join(directory, `${label}.log`);
		files.mkdirSync(directory, { recursive: true, mode: 0o750 });
		const path = sidecarPath(directory, label);
		const found = findSidecar(files, path);
		this.#sidecar = found ?? newSidecar();
		if (!found) this.#sweep(() => false);
		this.#currentFd = this.#openSegment(this.#sidecar.current.generation);
		try {
			this.#currentBytes = files.fstatSync(this.#currentFd).size;
			this.#previousFd = this.#findPrevious();
			if (this.#previousFd === undefined) this.#sidecar.previous = null;
			this.#sweep((generation) => this.#keeps(generation));
			if (!found) writeSidecar(files, path, this.#sidecar);
			this.#link();
		} catch (error) {
			this.close();
			throw error;
		}
	}

	/** Names the stream that the offsets count. */
	get stream(): string {
		return this.#sidecar.stream;
	}

	/** Offset of the oldest byte kept. */
	get start(): number {
		return (this.#sidecar.previous ?? this.#sidecar.current).start;
	}

	/** Offset after the newest byte. */
	get end(): number {
		return this.#sidecar.current.start + this.#currentBytes;
	}

	/**
	 * Ties the journal to a ring. `counter` is the ring's out_cons, `pending` what the guest has put behind it. The
	 * answer is how many of the pending bytes the journal holds already: those a dead process wrote here and did not
	 * live to take out of the ring. `id` must differ between any two rings, also across boots of the host.
	 */
	adoptRing(id: string, counter: number, pending: number): number {
		const ring = this.#sidecar.ring;
		if (ring?.id === id) {
			const ahead = (ring.counter + this.#currentBytes - counter) >>> 0;
			if (ahead <= pending) return ahead;
		}
		this.#setRing({ id, counter: (counter - this.#currentBytes) >>> 0 });
		return 0;
	}

	/** The ring is gone for good: even one that looks the same will be another. */
	forgetRing(): void {
		if (this.#sidecar.ring) this.#setRing(null);
	}

	/**
	 * How many bytes may be appended now, when everything from offset `needed` on must stay readable. 0: not before
	 * the reader at `needed` has moved. Starts a new segment when the current one is full and the oldest can go.
	 */
	makeRoom(needed: number): number {
		if (this.#currentBytes < this.#segmentBytes) return this.#segmentBytes - this.#currentBytes;
		if (needed < this.#sidecar.current.start) return 0;
		this.#rotate();
		return this.#segmentBytes;
	}

	/**
	 * Appends and tells how many bytes are durable now: fewer than given when the disk is nearly full. The bytes belong to
	 * the journal from here on.
	 */
	append(bytes: Uint8Array): number {
		const written = this.#files.writeSync(this.#currentFd, bytes, 0, bytes.length, this.#currentBytes);
		this.#newest = { offset: this.end, bytes: bytes.subarray(0, written) };
		this.#currentBytes += written;
		return written;
	}

	/**
	 * Up to `maxBytes` from an offset between `start` and `end`, for reading only; short at a segment's end, empty at the
	 * stream's and after `close`.
	 */
	read(offset: number, maxBytes: number): Uint8Array {
		if (this.#closed) return new Uint8Array(0);
		const { current, previous } = this.#sidecar;
		if (offset < this.start || offset > this.end) throw new RangeError(`Offset ${offset} is not in the journal`);
		const recent = offset - this.#newest.offset;
		if (recent >= 0 && recent < this.#newest.bytes.length)
			return this.#newest.bytes.subarray(recent, recent + maxBytes);
		const inPrevious = previous !== null && offset < current.start;
		const fd = inPrevious ? this.#previousFd : this.#currentFd;
		const start = inPrevious ? previous.start : current.start;
		const end = inPrevious ? current.start : this.end;
		const wanted = Math.min(maxBytes, end - offset);
		if (wanted <= 0 || fd === undefined) return new Uint8Array(0);
		const bytes = Buffer.allocUnsafe(wanted);
		return bytes.subarray(0, this.#files.readSync(fd, bytes, 0, wanted, offset - start));
	}

	/** Removes the files. What is open stays readable until `close`. */
	purge(): void {
		this.#sweep(() => false);
		this.#files.rmSync(sidecarPath(this.#directory, this.#label), { force: true });
		this.#files.rmSync(this.path, { force: true });
	}

	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#files.closeSync(this.#currentFd);
		if (this.#previousFd !== undefined) this.#files.closeSync(this.#previousFd);
	}

	#rotate(): void {
		const { current, ring } = this.#sidecar;
		const next: Segment = { generation: current.generation + 1, start: this.end };
		// A process that died here before may have left an empty file of that name.
		this.#files.rmSync(this.#segment(next.generation), { force: true });
		const fd = this.#openSegment(next.generation);
		const sidecar: Sidecar = {
			...this.#sidecar,
			current: next,
			previous: current,
			ring: ring && { id: ring.id, counter: (ring.counter + this.#currentBytes) >>> 0 },
		};
		try {
			writeSidecar(this.#files, sidecarPath(this.#directory, this.#label), sidecar);
		} catch (error) {
			this.#files.closeSync(fd);
			throw error;
		}
		const dropped = this.#previousFd;
		this.#sidecar = sidecar;
		this.#previousFd = this.#currentFd;
		this.#currentFd = fd;
		this.#currentBytes = 0;
		if (dropped !== undefined) this.#files.closeSync(dropped);
		this.#sweep((generation) => this.#keeps(generation));
		this.#link();
	}

	#setRing(ring: Sidecar["ring"]): void {
		const sidecar = { ...this.#sidecar, ring };
		writeSidecar(this.#files, sidecarPath(this.#directory, this.#label), sidecar);
		this.#sidecar = sidecar;
	}

	#openSegment(generation: number): number {
		// Not O_APPEND: with it Linux ignores the position given to pwrite(2), which is ours to say.
		const { O_RDWR, O_CREAT, O_NOFOLLOW } = OPEN_FLAGS;
		const fd = this.#files.openSync(this.#segment(generation), O_RDWR | O_CREAT | O_NOFOLLOW, 0o640);
		this.#files.fchmodSync(fd, 0o640);
		return fd;
	}

	#findPrevious(): number | undefined {
		const { current, previous } = this.#sidecar;
		if (!previous) return undefined;
		let fd: number;
		try {
			fd = this.#files.openSync(this.#segment(previous.generation), OPEN_FLAGS.O_RDONLY | OPEN_FLAGS.O_NOFOLLOW);
		} catch {
			return undefined; // Somebody removed it: that scrollback is gone, the stream goes on.
		}
		if (this.#files.fstatSync(fd).size >= current.start - previous.start) return fd;
		this.#files.closeSync(fd);
		return undefined;
	}

	#keeps(generation: number): boolean {
		return generation === this.#sidecar.current.generation || generation === this.#sidecar.previous?.generation;
	}

	/** Unlinks segment files that are not kept: of a process that died while it rotated, too. */
	#sweep(keep: (generation: number) => boolean): void {
		for (const name of this.#files.readdirSync(this.#directory)) {
			const generation = this.#generationOf(name);
			if (generation !== undefined && !keep(generation))
				this.#files.rmSync(join(this.#directory, name), { force: true });
		}
	}

	#generationOf(name: string): number | undefined {
		if (!name.startsWith(`${this.#label}.`) || !name.endsWith(".seg")) return undefined;
		const digits = name.slice(this.#label.length + 1, -".seg".length);
		return /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
	}

	#link(): void {
		const temporary = `${this.path}.new`;
		this.#files.rmSync(temporary, { force: true });
		this.#files.symlinkSync(`${this.#label}.${this.#sidecar.current.generation}.seg`, temporary);
		this.#files.renameSync(temporary, this.path);
	}

	#segment(generation: number): string {
		return segmentPath(this.#directory, this.#label, generation);
	}
}
