import { readFileSync } from "node:fs";
import { BulkheadError, serializeError } from "@bulkhead/base";
import type { RingHost } from "@bulkhead/hypervisor";
import { openRingHost } from "@bulkhead/hypervisor/native";
import { pino } from "pino";
import { dropPrivileges } from "./process/drop-privileges.ts";
import { type CommandLine, parseCommandLine, USAGE } from "./process/options.ts";
import { ownDirectory } from "./process/own-directory.ts";
import { getUser } from "./process/user.ts";
import { dialQmp } from "./qmp/dial-qmp.ts";
import { allowMore, DEFAULT_QMP_POLICY } from "./qmp/qmp-policy.ts";
import { Relay } from "./relay.ts";
import { VERSION } from "./version.ts";

/** Exit statuses: 0 asked to stop, 1 failed, 2 wrong command line. */
async function main(argv: readonly string[]): Promise<void> {
	const options = parseCommandLine(argv);
	if (options.help) process.stdout.write(USAGE);
	else if (options.version) process.stdout.write(`bulkhead-relay ${VERSION}\n`);
	else await serve(options);
}

async function serve(options: CommandLine): Promise<void> {
	const log = pino(
		{ level: options.logLevel, base: { name: "bulkhead-relay", pid: process.pid } },
		pino.destination(2),
	);
	process.on("uncaughtException", (error) => {
		log.fatal({ error: serializeError(error), stack: error.stack }, "A bug: stopping, the next relay goes on");
		process.exit(1);
	});
	const host = openAsUser(options);
	let relay: Relay;
	try {
		relay = await Relay.start({
			host,
			dialQmp: dialQmp(host),
			runDirectory: options.runDirectory,
			stateDirectory: options.stateDirectory,
			bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
			log,
			segmentBytes: (options.journalKiB * 1024) / 2,
			qmpPolicy: allowMore(DEFAULT_QMP_POLICY, options.qmpAllow),
		});
	} catch (error) {
		host.close();
		throw error;
	}
	for (const signal of ["SIGTERM", "SIGINT"] as const)
		process.once(signal, () => {
			log.info({ signal }, "Stopping");
			relay.stop();
			host.close();
			process.exit(0); // Nothing is left to wait for.
		});
	log.info({ version: VERSION, uid: process.getuid?.(), runDirectory: options.runDirectory }, "Serving");
}

/** Opens the Xen devices with the privilege we were started with, then gives it up. */
function openAsUser({ user: name, allowRoot, runDirectory, stateDirectory }: CommandLine): RingHost {
	const isRoot = process.getuid?.() === 0;
	const user = isRoot && !allowRoot ? getUser(name) : undefined;
	const host = openRingHost();
	try {
		if (user) {
			for (const directory of [runDirectory, stateDirectory]) ownDirectory(directory, user);
			dropPrivileges(user);
		}
		process.umask(0o077);
		return host;
	} catch (error) {
		host.close();
		throw error;
	}
}

main(process.argv.slice(2)).catch((error: unknown) => {
	const { code, message, remedy, cause } = serializeError(error);
	const lines = [`bulkhead-relay: ${message}`];
	for (let at = cause; at; at = at.cause) lines.push(`  because: ${at.message}`);
	if (remedy !== undefined) lines.push(`  remedy: ${remedy}`);
	process.stderr.write(`${lines.join("\n")}\n`);
	process.exitCode = error instanceof BulkheadError && code === "invalid-input" ? 2 : 1;
});
