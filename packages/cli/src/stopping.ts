import type { CliIo, StopSignal } from "./cli-io.ts";
import { EXIT_CODES } from "./exit-codes.ts";

/** Ctrl-C and SIGTERM while a command waits: the first asks to stop, the second insists. */
export interface Stopping {
	/** Aborts at the first signal. */
	readonly asked: AbortSignal;
	/** Aborts at the second. */
	readonly insisted: AbortSignal;
	/** The exit code that the signal stands for; undefined as long as there was none. */
	exitCode(): number | undefined;
	/** Stops listening: signals end the process again. */
	end(): void;
}

export function listenForStop(io: CliIo, onAsked?: () => void): Stopping {
	const asked = new AbortController();
	const insisted = new AbortController();
	let first: StopSignal | undefined;
	const stopListening = io.onStop((signal) => {
		if (first === undefined) {
			first = signal;
			onAsked?.();
			asked.abort();
		} else insisted.abort();
	});
	return {
		asked: asked.signal,
		insisted: insisted.signal,
		exitCode: () => first && (first === "SIGINT" ? EXIT_CODES.interrupted.code : EXIT_CODES.terminated.code),
		end: stopListening,
	};
}
