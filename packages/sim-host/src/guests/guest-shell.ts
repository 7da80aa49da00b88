import { createHash, type Hash } from "node:crypto";

/** What a shell's commands do to the machine that it runs on. */
export interface ShellHost {
	write(text: string): void;
	/** Where bulk output can wait for whoever reads it. */
	pour?(source: (most: number) => Uint8Array): void;
	poweroff(): void;
	reboot(): void;
	crash(): void;
}

const LONGEST_LINE = 1024;

/** The byte at a place of what `bytes` prints: a lost or repeated part changes everything behind it. */
export function patternByte(place: number): number {
	return (Math.imul(place, 2654435761) ^ (place >>> 7)) & 0xff;
}

/** A tiny shell on a serial line: echoes what is typed, knows a few commands. */
export class GuestShell {
	readonly #host: ShellHost;
	readonly #hostname: string;
	#line = "";
	#sum: { left: number; hash: Hash } | undefined;

	constructor(hostname: string, host: ShellHost) {
		this.#host = host;
		this.#hostname = hostname;
	}

	start(): void {
		this.#host.write(`${this.#hostname}: ready\r\n`);
		this.#prompt();
	}

	type(bytes: Uint8Array): void {
		const typed = this.#sum ? this.#addToSum(this.#sum, bytes) : bytes;
		for (const char of Buffer.from(typed).toString("latin1")) this.#take(char);
	}

	#take(char: string): void {
		if (char === "\r" || char === "\n") {
			this.#host.write("\r\n");
			const line = this.#line.trim();
			this.#line = "";
			this.#run(line);
			return;
		}
		if (char === "\x7f" || char === "\b") {
			if (this.#line === "") return;
			this.#line = this.#line.slice(0, -1);
			this.#host.write("\b \b");
			return;
		}
		if (char < " " || this.#line.length >= LONGEST_LINE) return;
		this.#line += char;
		this.#host.write(char);
	}

	#run(line: string): void {
		const [command = "", ...words] = line.split(/\s+/);
		switch (command) {
			case "poweroff":
				this.#host.poweroff();
				return;
			case "reboot":
				this.#host.reboot();
				return;
			case "crash":
				this.#host.crash();
				return;
			case "":
				break;
			case "echo":
				this.#host.write(`${words.join(" ")}\r\n`);
				break;
			case "hostname":
				this.#host.write(`${this.#hostname}\r\n`);
				break;
			case "bytes":
				this.#pourBytes(Number(words[0]) || 0);
				return;
			case "sum":
				this.#sum = { left: Number(words[0]) || 0, hash: createHash("sha256") };
				this.#host.write("ready\r\n");
				return;
			case "help":
				this.#host.write("echo, hostname, bytes, sum, poweroff, reboot, crash\r\n");
				break;
			default:
				this.#host.write(`${command}: not found\r\n`);
		}
		this.#prompt();
	}

	/** `bytes N`: N pseudo-random bytes, for who knows patternByte. */
	#pourBytes(count: number): void {
		let sent = 0;
		this.#host.pour?.((most) => {
			const part = Buffer.alloc(Math.min(most, count - sent));
			for (let at = 0; at < part.length; at++) part[at] = patternByte(sent + at);
			sent += part.length;
			if (part.length === 0) this.#prompt();
			return part;
		});
	}

	/** `sum N`: takes N bytes as they are and tells their SHA-256. Answers what came behind them. */
	#addToSum(sum: { left: number; hash: Hash }, bytes: Uint8Array): Uint8Array {
		const part = bytes.subarray(0, sum.left);
		sum.hash.update(part);
		sum.left -= part.length;
		if (sum.left > 0) return new Uint8Array(0);
		this.#sum = undefined;
		this.#host.write(`${sum.hash.digest("hex")}\r\n`);
		this.#prompt();
		return bytes.subarray(part.length);
	}

	#prompt(): void {
		this.#host.write(`${this.#hostname}# `);
	}
}
