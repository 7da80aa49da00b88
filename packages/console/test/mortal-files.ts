import { type JournalFiles, realFiles } from "../src/journal/journal-files.ts";

export class Killed extends Error {}

/**
 * File calls of a process that dies at its n-th call: before its effect, after it, or (writing) half-way through.
 * Once dead, every further call fails without effect.
 */
export class MortalFiles {
	readonly files: JournalFiles;
	calls = 0;
	#left: number;
	readonly #when: "before" | "after" | "midway";
	#dead = false;

	constructor(left: number, when: "before" | "after" | "midway") {
		this.#left = left;
		this.#when = when;
		this.files = new Proxy(realFiles, {
			get: (target, name) => {
				const real: unknown = Reflect.get(target, name);
				if (typeof real !== "function") return real;
				return (...args: unknown[]) => this.#call(String(name), real as (...args: unknown[]) => unknown, args);
			},
		});
	}

	get dead(): boolean {
		return this.#dead;
	}

	/** Dies between two calls. */
	kill(): void {
		this.#dead = true;
	}

	#call(name: string, real: (...args: unknown[]) => unknown, args: unknown[]): unknown {
		// What a dead process had open, the kernel closes.
		if (name === "closeSync" && this.#dead) return real(...args);
		if (this.#dead) throw new Killed();
		this.calls++;
		if (--this.#left > 0) return real(...args);
		this.#dead = true;
		if (name === "closeSync") real(...args);
		else if (name === "writeSync" && this.#when === "midway") this.#halfWrite(args);
		else if (this.#when !== "before" && name === "openSync") realFiles.closeSync(real(...args) as number);
		else if (this.#when !== "before") real(...args);
		throw new Killed();
	}

	#halfWrite(args: unknown[]): void {
		const [fd, bytes, start = 0, length, position] = args as [number, Uint8Array, number?, number?, number?];
		const count = Math.floor((length ?? bytes.length - start) / 2);
		if (count > 0) realFiles.writeSync(fd, bytes, start, count, position ?? null);
	}
}
