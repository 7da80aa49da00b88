import { errnoOf } from "@bulkhead/base";

interface ExitCode {
	readonly code: number;
	readonly meaning: string;
	/** The error codes that end with it. */
	readonly of: readonly string[];
}

type ExitName =
	| "ok"
	| "failed"
	| "usage"
	| "notFound"
	| "badInput"
	| "unreachable"
	| "deadline"
	| "conflict"
	| "interrupted"
	| "terminated";

/** How a command can end: the one table behind the behaviour, `bulkhead help exit-codes` and the README. */
export const EXIT_CODES: Readonly<Record<ExitName, ExitCode>> = {
	ok: { code: 0, meaning: "done", of: [] },
	failed: { code: 1, meaning: "failed; the message says why", of: [] },
	usage: { code: 2, meaning: "the command line is wrong", of: ["usage"] },
	notFound: {
		code: 3,
		meaning: "no such guest, console, device or screen",
		of: ["no-such-guest", "no-such-console", "no-such-device", "no-such-screen"],
	},
	badInput: {
		code: 4,
		meaning: "the config, a file it names, or another input is wrong; nothing was changed",
		of: [
			"bad-guest-config",
			"guest-config-too-large",
			"unsupported-feature",
			"file-unusable",
			"nic-unusable",
			"invalid-input",
			"bad-request",
		],
	},
	unreachable: {
		code: 5,
		meaning: "bulkheadd or bulkhead-relay is not reachable, or was lost",
		of: ["daemon-unreachable", "daemon-lost", "relay-unreachable", "relay-lost", "relay-busy", "screen-unreachable"],
	},
	deadline: { code: 6, meaning: "a deadline passed", of: ["deadline-exceeded"] },
	conflict: {
		code: 7,
		meaning: "the guest's or the host's state does not allow it (name taken, no memory, guest not running)",
		of: [
			"name-in-use",
			"uuid-in-use",
			"guest-not-running",
			"guest-does-not-listen",
			"cannot-unplug",
			"not-enough-memory",
			"no-such-qmp",
			"device-exists",
			"device-refused",
			"http-not-listening",
			"too-many-screens",
		],
	},
	interrupted: { code: 130, meaning: "interrupted by Ctrl-C; what had been begun is undone", of: [] },
	terminated: { code: 143, meaning: "interrupted by SIGTERM; what had been begun is undone", of: [] },
};

const CODE_OF = new Map<string, number>(
	Object.values(EXIT_CODES).flatMap(({ code, of }) => of.map((error): [string, number] => [error, code])),
);

/** The exit code for what a command threw. */
export function exitCodeOf(error: unknown): number {
	const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
	return CODE_OF.get(code ?? errnoOf(error) ?? "") ?? EXIT_CODES.failed.code;
}

export function describeExitCodes(): string {
	const lines = Object.values(EXIT_CODES).map(({ code, meaning }) => `${`${code}`.padStart(4)}  ${meaning}`);
	return `Exit codes:\n${lines.join("\n")}\n`;
}
