/** Runs one asynchronous section at a time, in the order asked. */
export class Mutex {
	#tail: Promise<void> = Promise.resolve();

	async run<T>(section: () => Promise<T>): Promise<T> {
		const before = this.#tail;
		let release: () => void = () => {};
		this.#tail = new Promise((resolve) => {
			release = resolve;
		});
		await before;
		try {
			return await section();
		} finally {
			release();
		}
	}
}
