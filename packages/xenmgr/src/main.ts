import { serializeError } from "@bulkhead/base";
import pino from "pino";
import { runDaemon } from "./daemon.ts";
import { openHost } from "./host/open-host.ts";
import { parseOptions } from "./options.ts";

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
		await using host = await openHost(parsed.run, log);
		await runDaemon({ options: parsed.run, hypervisor: host.hypervisor, log, signal: stop.signal });
	} catch (error) {
		log.fatal({ error: serializeError(error) }, "bulkheadd ends");
		process.exitCode = FAILED;
	}
	process.exit();
}

main().catch((error) => {
	const { message, remedy, cause } = serializeError(error);
	process.stderr.write(`bulkheadd: ${[message, cause?.message, remedy].filter(Boolean).join("\n  ")}\n`);
	process.exit(BAD_OPTIONS);
});
