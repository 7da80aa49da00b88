import { BulkheadError, ProtocolError } from "@bulkhead/base";
import { LineSplitter, parseMessage, QmpError } from "@bulkhead/qmp";
import { checkResult } from "@bulkhead/qmp/commands";
import { NOTIFY, PAGE_BYTES, RingConsumer, type RingMemory, RingProducer } from "@bulkhead/vchan";
import { formatMessage } from "../../src/qmp/local/format-message.ts";
import { JsonSplitter } from "../../src/qmp/local/json-splitter.ts";
import { BadRequestError, parseLocalRequest } from "../../src/qmp/local/local-request.ts";
import { checkCommand, DEFAULT_QMP_POLICY, isFitEvent, type QmpRole } from "../../src/qmp/qmp-policy.ts";
import { type Choose, makeLine, makeValue, pick, seededChoose } from "./make-lines.ts";

export interface QmpFuzzReport {
	cases: number;
	seconds: number;
	/** Of the process, as high as it has been. */
	peakRssBytes: number;
	/** How many cases were refused, by what refuses. */
	refused: Record<string, number>;
}

const LINE_BYTES = 4096;
const COMMANDS = [
	"query-status",
	"query-block",
	"query-fdsets",
	"query-cpus-fast",
	"eject",
	"migrate",
	"qom-get",
] as const;
const ROLES: readonly [QmpRole, ...QmpRole[]] = ["toolstack", "operator", "reader", "monitor"];

/**
 * Throws mutated messages at framing, parsers and policy, and random counters at rings. Whatever is refused is refused by
 * an error of ours. @throws Error with the seed at the first thing that is wrong
 */
export function fuzzQmp({
	cases,
	seed,
	onProgress,
}: {
	cases: number;
	seed: number;
	onProgress?: (done: number) => void;
}): QmpFuzzReport {
	const choose = seededChoose(seed);
	const report: QmpFuzzReport = { cases: 0, seconds: 0, peakRssBytes: 0, refused: {} };
	const began = performance.now();
	const fuzzed = new Fuzzed(choose, report);
	while (report.cases < cases) {
		try {
			fuzzed.blow();
		} catch (cause) {
			throw new Error(`Fuzzing with seed ${seed} failed after ${report.cases} cases`, { cause });
		}
		if (++report.cases % 50_000 === 0) onProgress?.(report.cases);
	}
	report.seconds = (performance.now() - began) / 1000;
	report.peakRssBytes = process.resourceUsage().maxRSS * 1024;
	return report;
}

class Fuzzed {
	readonly #choose: Choose;
	readonly #report: QmpFuzzReport;
	#lines = new LineSplitter(LINE_BYTES);
	#commands = new JsonSplitter(LINE_BYTES);
	readonly #ring: RingMemory = {
		words: new Uint32Array(PAGE_BYTES / 4),
		consumer: 0,
		producer: 1,
		data: new Uint8Array(1024),
	};
	#producer = new RingProducer(this.#ring);
	#consumer = new RingConsumer(this.#ring);

	constructor(choose: Choose, report: QmpFuzzReport) {
		this.#choose = choose;
		this.#report = report;
	}

	blow(): void {
		const kind = this.#choose(8);
		if (kind === 0) this.#expect("value", () => checkResult(pick(this.#choose, COMMANDS), makeValue(this.#choose)));
		else if (kind === 1) this.#expect("ring", () => this.#turnRing());
		else this.#receive(makeLine(this.#choose));
	}

	/** In one piece or in several; sometimes never ended. */
	#receive(bytes: Buffer): void {
		const isCut = this.#choose(20) === 0;
		const whole = isCut ? bytes.subarray(0, bytes.length - 1) : bytes;
		const at = this.#choose(3) === 0 ? this.#choose(whole.length + 1) : whole.length;
		const pieces = [whole.subarray(0, at), whole.subarray(at)];
		// A framing error ends a session; what one line or command is refused for was counted already.
		this.#expect("line", () => {
			const lines = this.#lines;
			this.#lines = new LineSplitter(LINE_BYTES);
			for (const piece of pieces) lines.push(piece, (line) => this.#takeLine(line));
			this.#lines = lines;
		});
		this.#expect("command", () => {
			const commands = this.#commands;
			this.#commands = new JsonSplitter(LINE_BYTES);
			for (const piece of pieces) commands.push(piece, (text) => this.#takeCommand(text));
			this.#commands = commands;
		});
	}

	#takeLine(line: string): void {
		this.#expect("message", () => {
			const message = parseMessage(line);
			if (message.kind === "event") isFitEvent(DEFAULT_QMP_POLICY, message);
			if (message.kind === "error") assertPrintable(new QmpError("x", message.error).message);
			assertPrintable(formatMessage(message).trimEnd());
		});
	}

	#takeCommand(text: string): void {
		this.#expect("request", () => {
			const { command, args } = parseLocalRequest(text);
			checkCommand(DEFAULT_QMP_POLICY, { role: pick(this.#choose, ROLES), command, ...(args && { args }) });
		});
	}

	/** A peer that writes what it likes into the counters, and a ring that must stay a ring. */
	#turnRing(): void {
		const { words } = this.#ring;
		if (this.#choose(3) === 0)
			words[this.#choose(2)] = this.#choose(4) === 0 ? this.#choose(2 ** 32) : this.#choose(4096);
		try {
			const written = this.#producer.write(Buffer.alloc(this.#choose(3000), NOTIFY.written));
			const read = this.#consumer.read(this.#choose(3000));
			if (written > 1024 || read.length > 1024) throw new TypeError(`Moved ${written} and ${read.length} bytes`);
		} catch (error) {
			this.#producer.dropUnread();
			this.#consumer.discard();
			throw error;
		}
	}

	#expect(what: string, act: () => void): void {
		try {
			act();
		} catch (error) {
			if (!isRefusal(error)) throw error;
			this.#report.refused[what] = (this.#report.refused[what] ?? 0) + 1;
		}
	}
}

function isRefusal(error: unknown): boolean {
	if (error instanceof BulkheadError) assertPrintable(error.message);
	return (
		error instanceof ProtocolError ||
		error instanceof BadRequestError ||
		(error instanceof BulkheadError && error.code.startsWith("qmp-"))
	);
}

function assertPrintable(text: string): void {
	if (!/^[\x20-\x7e…]*$/.test(text))
		throw new TypeError(`Text holds what a terminal might obey: ${JSON.stringify(text)}`);
}
