import { parseArgs } from "node:util";
import { RELAY_PATHS } from "@bulkhead/api/relay";
import { InvalidInputError } from "@bulkhead/base";

export interface CommandLine {
	user: string;
	allowRoot: boolean;
	runDirectory: string;
	stateDirectory: string;
	/** Of one console's output. */
	journalKiB: number;
	qmpAllow: string[];
	logLevel: string;
	help: boolean;
	version: boolean;
}

export const LOG_LEVELS: readonly string[] = ["debug", "info", "warn", "error"];

const DEFAULT_JOURNAL_KIB = 2048;
const JOURNAL_KIB = { least: 16, most: 1024 * 1024 } as const;

export const USAGE: string = `Usage: bulkhead-relay [options]

Serves the consoles and QMP sessions of all guests, without privilege: opens the
Xen devices as root and then becomes an ordinary user.

  --user NAME         user to become (default bulkhead-relay)
  --allow-root        stay root: for development only
  --run-dir DIR       sockets (default ${RELAY_PATHS.runDirectory})
  --state-dir DIR     journals of consoles (default ${RELAY_PATHS.stateDirectory})
  --journal-size KIB  kept of each console's output (default ${DEFAULT_JOURNAL_KIB}): the newest
                      half to whole of it
  --qmp-allow NAME    allow one more QMP command, or "prefix*"; may be repeated
  --log-level LEVEL   ${LOG_LEVELS.join(", ")} (default info); JSON lines on stderr
  --help, --version
`;

/** @throws InvalidInputError */
export function parseCommandLine(argv: readonly string[]): CommandLine {
	const values = parse(argv);
	if (!LOG_LEVELS.includes(values["log-level"]))
		throw new InvalidInputError(`Log level ${JSON.stringify(values["log-level"])} is none`, {
			remedy: `Give one of ${LOG_LEVELS.join(", ")}`,
		});
	for (const name of values["qmp-allow"])
		if (!/^[A-Za-z][A-Za-z0-9_.-]*\*?$/.test(name))
			throw new InvalidInputError(`Text ${JSON.stringify(name)} is no QMP command's name`);
	return {
		user: values.user,
		allowRoot: values["allow-root"],
		runDirectory: values["run-dir"],
		stateDirectory: values["state-dir"],
		journalKiB: journalSize(values["journal-size"]),
		qmpAllow: values["qmp-allow"],
		logLevel: values["log-level"],
		help: values.help,
		version: values.version,
	};
}

/** @throws InvalidInputError */
function journalSize(text: string): number {
	const kib = Number(text);
	if (Number.isInteger(kib) && kib >= JOURNAL_KIB.least && kib <= JOURNAL_KIB.most) return kib;
	throw new InvalidInputError(`Journal size ${JSON.stringify(text)} is no number of KiB`, {
		remedy: `Give a whole number, ${JOURNAL_KIB.least} to ${JOURNAL_KIB.most}`,
	});
}

function parse(argv: readonly string[]): {
	user: string;
	"allow-root": boolean;
	"run-dir": string;
	"state-dir": string;
	"journal-size": string;
	"qmp-allow": string[];
	"log-level": string;
	help: boolean;
	version: boolean;
} {
	try {
		return parseArgs({
			args: [...argv],
			strict: true,
			allowPositionals: false,
			options: {
				user: { type: "string", default: "bulkhead-relay" },
				"allow-root": { type: "boolean", default: false },
				"run-dir": { type: "string", default: RELAY_PATHS.runDirectory },
				"state-dir": { type: "string", default: RELAY_PATHS.stateDirectory },
				"journal-size": { type: "string", default: `${DEFAULT_JOURNAL_KIB}` },
				"qmp-allow": { type: "string", multiple: true, default: [] },
				"log-level": { type: "string", default: "info" },
				help: { type: "boolean", short: "h", default: false },
				version: { type: "boolean", default: false },
			},
		}).values;
	} catch (error) {
		throw new InvalidInputError("Command line is wrong", { cause: error, remedy: "See bulkhead-relay --help" });
	}
}
