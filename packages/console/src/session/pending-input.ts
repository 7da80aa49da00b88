/** Input that was handed over and is not known to have reached the guest: sent again after a break, no byte twice. */
export class PendingInput {
	#parts: Uint8Array[] = [];
	#bytes = 0;

	get bytes(): number {
		return this.#bytes;
	}

	add(part: Uint8Array): void {
		this.#parts.push(part);
		this.#bytes += part.length;
	}

	/** What has not been acknowledged, in order. */
	parts(): readonly Uint8Array[] {
		return this.#parts;
	}

	/** The first `count` bytes have arrived. False (and nothing changes) when there are not so many. */
	drop(count: number): boolean {
		if (count > this.#bytes) return false;
		this.#bytes -= count;
		let left = count;
		while (left > 0) {
			const head = this.#parts[0];
			if (!head) break;
			if (head.length <= left) this.#parts.shift();
			else this.#parts[0] = head.subarray(left);
			left -= Math.min(left, head.length);
		}
		return true;
	}

	/** Gives everything up and tells how much that was. */
	clear(): number {
		const lost = this.#bytes;
		this.#parts = [];
		this.#bytes = 0;
		return lost;
	}
}
