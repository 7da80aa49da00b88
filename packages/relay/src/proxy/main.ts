import { BulkheadError, serializeError } from "@bulkhead/base";
import type { GrantOffers } from "@bulkhead/hypervisor";
import { openGrantOffers, openRingHost } from "@bulkhead/hypervisor/native";
import { XenstoreClient } from "@bulkhead/xenstore";
import { VERSION } from "../version.ts";
import { PROXY_USAGE, type ProxyOptions, parseProxyOptions } from "./options.ts";
import { serveClient } from "./serve-client.ts";
import { serveServer } from "./serve-server.ts";

/** Exit statuses: 0 asked to stop, or the domain is gone; 1 failed or wrong command line. */
async function main(argv: readonly string[]): Promise<void> {
	const options = parseProxyOptions(argv);
	if (options.help) process.stdout.write(PROXY_USAGE);
	else if (options.version) process.stdout.write(`bulkhead-vchan-socket-proxy ${VERSION}\n`);
	else await run(options);
}

async function run(options: ProxyOptions): Promise<void> {
	const stop = new AbortController();
	for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.once(signal, () => stop.abort());
	const rings = openRingHost();
	let offered: GrantOffers | undefined;
	const store = await XenstoreClient.connect();
	store.onClose(() => stop.abort());
	try {
		const serve = options.mode === "client" ? serveClient : serveServer;
		await serve({
			options,
			store,
			rings,
			offers: () => {
				offered ??= openGrantOffers();
				return offered;
			},
			tell: (line) => process.stderr.write(`vchan-socket-proxy: ${line}\n`),
			signal: stop.signal,
		});
	} finally {
		offered?.close();
		rings.close();
		store.close();
		process.stdin.destroy();
	}
}

main(process.argv.slice(2)).catch((error: unknown) => {
	const { message, remedy, cause } = serializeError(error);
	process.stderr.write(`vchan-socket-proxy: ${message}\n`);
	for (let at = cause; at; at = at.cause) process.stderr.write(`  because: ${at.message}\n`);
	if (remedy !== undefined) process.stderr.write(`  remedy: ${remedy}\n`);
	if (error instanceof BulkheadError && error.code === "invalid-input") process.stderr.write(PROXY_USAGE);
	process.exitCode = 1;
});
