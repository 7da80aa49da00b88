import { ProtocolError, type Uuid } from "@bulkhead/base";
import type { ToolstackContext } from "../../context.ts";
import { domainPath } from "../../domain/paths.ts";
import { domidOf, provided } from "../../runtime.ts";
import { screenOf } from "../pv-screen.ts";

const QMP_MS = 10_000;
const MOST_PORTS = 32;

/**
 * What libxl asks of a QEMU in domain 0 once it answers: where its serial ports' ptys are (`xl console -t serial` reads
 * the node), where its VNC server listens, and that this has its password. QEMU's answers are not believed unchecked.
 */
export async function configureLocalQemu(
	context: Pick<ToolstackContext, "config" | "runtime" | "xenstore" | "rings" | "saveRuntime">,
): Promise<void> {
	const { config, runtime, xenstore, rings, saveRuntime } = context;
	const domain = domainPath(domidOf(runtime, "guest"));
	const ask = (command: string, args?: Record<string, unknown>): Promise<unknown> =>
		rings.executeQmp(config.uuid satisfies Uuid, command, args, QMP_MS);
	if (config.deviceModel?.restrict) await letRun(ask);
	const ttys = serialTtys(await ask("query-chardev"));
	for (const { port, path } of ttys) await xenstore.write(`${domain}/serial/${port}/tty`, path);
	provided(runtime.qemu, "QEMU").serialTtys = ttys;
	await saveRuntime();
	const { vnc } = screenOf(config);
	if (!vnc) return;
	if (vnc.password) await ask("change-vnc-password", { password: vnc.password });
	const server = vncServer(await ask("query-vnc"));
	if (!server) return;
	await xenstore.write(`${domain}/console/vnc-listen`, server.host);
	await xenstore.write(`${domain}/console/vnc-port`, server.port);
}

/** A restricted one was started stopped, as it cannot say that it runs (libxl: -S). @throws ProtocolError */
async function letRun(ask: (command: string) => Promise<unknown>): Promise<void> {
	const status = textOf(await ask("query-status"), "status");
	if (status !== "prelaunch")
		throw new ProtocolError(`QEMU is ${JSON.stringify(status)} where it should be "prelaunch"`);
	await ask("cont");
}

/** From query-chardev: the ptys of chardevs named serialN. */
export function serialTtys(answer: unknown): { port: number; path: string }[] {
	if (!Array.isArray(answer)) return [];
	return answer.slice(0, 4 * MOST_PORTS).flatMap((entry: unknown) => {
		const port = /^serial([0-9]{1,2})$/.exec(textOf(entry, "label"))?.[1];
		const path = /^pty:(\/dev\/pts\/[0-9]{1,6})$/.exec(textOf(entry, "filename"))?.[1];
		return port === undefined || path === undefined || Number(port) >= MOST_PORTS ? [] : [{ port: Number(port), path }];
	});
}

/** From query-vnc. */
export function vncServer(answer: unknown): { host: string; port: number } | undefined {
	const host = textOf(answer, "host");
	const port = Number(textOf(answer, "service"));
	return /^[0-9A-Za-z.:-]{1,64}$/.test(host) && Number.isInteger(port) && port > 0 && port < 65_536
		? { host, port }
		: undefined;
}

function textOf(value: unknown, key: string): string {
	const found: unknown = typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
	return typeof found === "string" ? found : "";
}
