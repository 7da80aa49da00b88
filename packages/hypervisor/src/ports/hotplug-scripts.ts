/** A hot-plug script's call: an absolute path and its arguments, no shell. */
export interface HotplugCall {
	path: string;
	args: readonly string[];
	/** Beside PATH, everything that the script gets to see. */
	env: Readonly<Record<string, string>>;
	timeoutMs: number;
	signal?: AbortSignal;
}

export interface HotplugOutcome {
	/** Undefined when a signal ended it. */
	exitCode: number | undefined;
	/** The end of what it printed on both outputs. */
	output: string;
}

/** Hot-plug scripts of domain 0: programs of the host's administrator that set a device's backend up. */
export interface HotplugScripts {
	/** Why the file cannot be run ("does not exist"), or undefined. */
	problem(path: string): Promise<string | undefined>;
	/**
	 * Runs a script with nothing on its standard input. At the deadline, and when the signal aborts, it is killed with
	 * everything that it has started in its process group.
	 * @throws DeadlineError, CancelledError, HypervisorError when it cannot be started
	 */
	run(call: HotplugCall): Promise<HotplugOutcome>;
}
