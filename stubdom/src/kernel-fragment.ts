/** One line of a fragment: what a symbol must be in the finished configuration. */
export interface KernelRequest {
	/** With its prefix: `CONFIG_XEN_PV`. */
	symbol: string;
	/** As it stands after the equals sign (`y`, `100`, `"text"`), or undefined for "is not set". */
	value: string | undefined;
}

const LINE = /^(?:(CONFIG_\w+)=(.+)|# (CONFIG_\w+) is not set)$/;

/** The requests of a configuration in Kconfig's own syntax (Documentation/kbuild/kconfig.rst), in their order. */
export function parseFragment(text: string): KernelRequest[] {
	const requests: KernelRequest[] = [];
	for (const line of text.split("\n")) {
		const [, set, value, unset] = LINE.exec(line) ?? [];
		const symbol = set ?? unset;
		if (symbol !== undefined) requests.push({ symbol, value });
	}
	return requests;
}

/**
 * The requests that a finished configuration does not fulfil, as they were written: Kconfig drops without a word what
 * it does not know or whose dependencies are not met, and sets what something else selects. A symbol that the kernel
 * does not know at all counts as not set.
 */
export function unmetRequests(fragment: string, config: string): string[] {
	const reached = new Map(parseFragment(config).map(({ symbol, value }) => [symbol, value]));
	return parseFragment(fragment)
		.filter(({ symbol, value }) => reached.get(symbol) !== value)
		.map(({ symbol, value }) => (value === undefined ? `# ${symbol} is not set` : `${symbol}=${value}`));
}
