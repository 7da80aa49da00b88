import type { ChildProcess } from "node:child_process";
import type { Lab } from "./lab.ts";

const LONGEST_TRANSCRIPT = 4 * 1024 * 1024;

/**
 * A conversation with one console of a guest, over the relay's raw unix socket, by socat in dom0. What the console
 * printed before the session began is not seen.
 */
export class SerialSession {
	readonly #child: ChildProcess;
	#transcript = "";
	#position = 0;
	#wake: (() => void) | undefined;
	#ended = false;

	private constructor(child: ChildProcess) {
		this.#child = child;
		child.stdout?.on("data", (chunk: Buffer) => {
			this.#append(chunk.toString("latin1"));
			this.#wake?.();
		});
		child.once("close", () => {
			this.#ended = true;
			this.#wake?.();
		});
	}

	static async open(
		lab: Lab,
		guest: { consoles: { label: string; socketPath?: string; ptyPath?: string }[] },
		label: string,
	): Promise<SerialSession> {
		const { socketPath, ptyPath } = guest.consoles.find((console) => console.label === label) ?? {};
		if (socketPath !== undefined) return new SerialSession(lab.spawn(["socat", "-", `UNIX-CONNECT:${socketPath}`]));
		// A serial port of a QEMU in dom0 is not the relay's.
		if (ptyPath !== undefined) return SerialSession.openPty(lab, ptyPath);
		throw new Error(`The guest has no console ${label}`);
	}

	/** Whatever socat knows the address of. */
	static openAddress(lab: Lab, address: string): SerialSession {
		return new SerialSession(lab.spawn(["socat", "-", address]));
	}

	/** A pseudo-terminal of dom0: a serial port of a QEMU there. */
	static openPty(lab: Lab, path: string): SerialSession {
		return new SerialSession(lab.spawn(["socat", "-", `${path},raw,echo=0`]));
	}

	write(data: string | Uint8Array): void {
		this.#child.stdin?.write(data);
	}

	/** The next bytes after what was last seen, exactly as many as asked for. */
	async take(length: number, timeoutMs: number): Promise<Buffer> {
		const limit = Date.now() + timeoutMs;
		while (this.#transcript.length - this.#position < length) await this.#progress(limit, `${length} bytes`);
		const bytes = Buffer.from(this.#transcript.slice(this.#position, this.#position + length), "latin1");
		this.#position += length;
		return bytes;
	}

	/** Waits until the pattern is seen after what the last call saw. */
	async expect(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
		const limit = Date.now() + timeoutMs;
		for (;;) {
			const match = pattern.exec(this.#transcript.slice(this.#position));
			if (match) {
				this.#position += match.index + match[0].length;
				return match;
			}
			await this.#progress(limit, `${pattern}`);
		}
	}

	close(): void {
		this.#child.kill();
	}

	async #progress(limit: number, wanted: string): Promise<void> {
		const leftMs = limit - Date.now();
		if (leftMs <= 0 || this.#ended)
			throw new Error(
				`${this.#ended ? "The console ended" : "The deadline passed"} without ${wanted}: ${this.#tail()}`,
			);
		await this.#nextChunk(leftMs);
	}

	#append(text: string): void {
		const whole = this.#transcript + text;
		const dropped = Math.max(0, whole.length - LONGEST_TRANSCRIPT);
		this.#transcript = whole.slice(dropped);
		this.#position = Math.max(0, this.#position - dropped);
	}

	#tail(): string {
		return JSON.stringify(this.#transcript.slice(-500));
	}

	#nextChunk(timeoutMs: number): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, timeoutMs);
			this.#wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	}
}
