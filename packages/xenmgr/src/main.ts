import { serializeError } from "@bulkhead/base";
import pino, { type Logger } from "pino";
import { runDaemon } from "./daemon.ts";
import { openHost } from "./host/open-host.ts";
import { type DaemonOptions, parseOptions } from "./options.ts";

const BAD_OPTIONS = 2;
const FAILED = 1;

/** Composition root of bulkheadd. */
async function main(): Promise<void> {
	const parsed = parseOptions(process.argv.slice(2));
	if ("print" in parsed) {
		process.stdout.write(`${parsed.print}\n`);
		return;
	}
	const log = pino({ name: "bulkheadd", level: parsed.run.logLevel }, pino.destination({ fd: 2, sync: true }));
	const stop = new AbortController();
	for (const signal of ["SIGTERM", "SIGINT"] as const)
		process.once(signal, () => stop.abort(new Error(`Received ${signal}`)));
	try {
		await runOnHost(parsed.run, log, stop.signal);
	} catch (error) {
		log.fatal({ error: serializeError(error) }, "bulkheadd ends");
		process.exitCode = FAILED;
	}
	process.exit();
}

async function runOnHost(options: DaemonOptions, log: Logger, signal: AbortSignal): Promise<void> {
	const host = await openHost(options, log);
	try {
		await runDaemon({ options, hypervisor: host.hypervisor, log, signal });
	} finally {
		await host.close();
	}
}

main().catch((error) => {
	const { message, remedy, cause } = serializeError(error);
	process.stderr.write(`bulkheadd: ${[message, cause?.message, remedy].filter(Boolean).join("\n  ")}\n`);
	process.exit(BAD_OPTIONS);
});
