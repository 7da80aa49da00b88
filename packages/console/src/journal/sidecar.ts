import { join } from "node:path";
import { randomUuid } from "@bulkhead/base";
import type { JournalFiles } from "./journal-files.ts";

/** One file of the journal; `start` is the stream offset of its first byte. */
export interface Segment {
	generation: number;
	start: number;
}

/** What a journal keeps beside its segments. Replaced as a whole by rename, so a reader sees the old or the new one. */
export interface Sidecar {
	version: 1;
	/** Names this stream of bytes; a new one begins when a journal was removed or is unreadable. */
	stream: string;
	current: Segment;
	previous: Segment | null;
	/**
	 * The ring that feeds the journal: `id` tells one ring from all others, `counter` is the value of out_cons that
	 * belongs to the current segment's first byte.
	 */
	ring: { id: string; counter: number } | null;
}

const LONGEST_SIDECAR = 4096;
const FILE_MODE = 0o640;

export function newSidecar(): Sidecar {
	return { version: 1, stream: randomUuid(), current: { generation: 0, start: 0 }, previous: null, ring: null };
}

export function sidecarPath(directory: string, label: string): string {
	return join(directory, `${label}.json`);
}

export function segmentPath(directory: string, label: string, generation: number): string {
	return join(directory, `${label}.${generation}.seg`);
}

/** Undefined when there is none, or none that makes sense (the host lost power while it was written). */
export function findSidecar(files: JournalFiles, path: string): Sidecar | undefined {
	let text: string;
	try {
		text = files.readFileSync(path, "utf8");
	} catch (error) {
		if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
		throw error;
	}
	if (text.length > LONGEST_SIDECAR) return undefined;
	try {
		return checkSidecar(JSON.parse(text));
	} catch (error) {
		if (error instanceof SyntaxError) return undefined;
		throw error;
	}
}

export function writeSidecar(files: JournalFiles, path: string, sidecar: Sidecar): void {
	const temporary = `${path}.new`;
	const fd = files.openSync(temporary, "w", FILE_MODE);
	try {
		files.fchmodSync(fd, FILE_MODE);
		const bytes = Buffer.from(`${JSON.stringify(sidecar)}\n`);
		let written = 0;
		while (written < bytes.length) written += files.writeSync(fd, bytes, written);
	} finally {
		files.closeSync(fd);
	}
	files.renameSync(temporary, path);
}

function checkSidecar(value: unknown): Sidecar | undefined {
	if (!isRecord(value) || value.version !== 1 || typeof value.stream !== "string") return undefined;
	const { stream, current, previous, ring } = value;
	if (stream.length > 64 || !isSegment(current)) return undefined;
	if (previous !== null && !(isSegment(previous) && isBefore(previous, current))) return undefined;
	if (ring !== null && !isRing(ring)) return undefined;
	return { version: 1, stream, current, previous, ring };
}

function isBefore(previous: Segment, current: Segment): boolean {
	return previous.generation < current.generation && previous.start < current.start;
}

function isSegment(value: unknown): value is Segment {
	return isRecord(value) && isCount(value.generation) && isCount(value.start);
}

function isRing(value: unknown): value is { id: string; counter: number } {
	return isRecord(value) && typeof value.id === "string" && isCount(value.counter) && value.counter <= 0xffff_ffff;
}

function isCount(value: unknown): value is number {
	return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null;
}
