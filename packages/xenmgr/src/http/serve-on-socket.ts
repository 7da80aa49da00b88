import { chmod, mkdir, rm } from "node:fs/promises";
import { connect, type Server } from "node:net";
import { dirname } from "node:path";
import { BulkheadError } from "@bulkhead/base";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";

/** Serves the app on a unix socket that only root may use. A stale socket is replaced, a live one respected. */
export async function serveOnSocket(app: Hono, path: string): Promise<{ close(): Promise<void> }> {
	await mkdir(dirname(path), { recursive: true, mode: 0o755 });
	if (await isAnswered(path))
		throw new BulkheadError("already-running", `Another bulkheadd answers on ${path}`, {
			remedy: "Stop it first, or choose another --socket",
		});
	await rm(path, { force: true });
	const server = createAdaptorServer({ fetch: app.fetch }) as Server;
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		server.listen(path, () => resolve());
	});
	await chmod(path, 0o600);
	return {
		close: async () => {
			if ("closeAllConnections" in server) (server as unknown as { closeAllConnections(): void }).closeAllConnections();
			await new Promise<void>((resolve) => server.close(() => resolve()));
			await rm(path, { force: true });
		},
	};
}

function isAnswered(path: string): Promise<boolean> {
	return new Promise((resolve) => {
		const probe = connect(path);
		probe.once("connect", () => {
			probe.destroy();
			resolve(true);
		});
		probe.once("error", () => resolve(false));
	});
}
