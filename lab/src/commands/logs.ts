import { spawn } from "node:child_process";
import { Lab } from "../lab.ts";
import { labPaths } from "../lab-paths.ts";

export type LogName = "serial" | "hypervisor" | "daemons" | "all";

const DAEMON_LOGS =
	'for log in /var/log/bulkhead/*.log /var/log/xen/*.log; do [ -s "$log" ] && echo "==> $log" && cat "$log"; done; true';
const FOLLOW_DAEMONS = "exec tail -n 100 -F /var/log/bulkhead/*.log";
/** Xen has no way to be told of new lines. */
const FOLLOW_HYPERVISOR = "xl dmesg -c; while sleep 1; do xl dmesg -c; done";

/** Prints logs. The serial log outlives the machine; the others need a lab that answers. */
export async function printLogs(which: LogName, follow: boolean): Promise<void> {
	if (which === "serial" || which === "all") await printSerial(follow && which === "serial");
	if (which === "serial") return;
	const lab = await Lab.attach();
	const run = async (script: string): Promise<void> => {
		const { child, signal } = lab.connection.spawn(["sh", "-c", script], ["ignore", "inherit", "inherit"]);
		process.once("SIGINT", () => void signal("TERM"));
		await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
	};
	if (which === "hypervisor" || which === "all") {
		process.stdout.write("==> hypervisor\n");
		await run(follow && which === "hypervisor" ? FOLLOW_HYPERVISOR : "xl dmesg");
	}
	if (which === "daemons" || which === "all") await run(follow ? FOLLOW_DAEMONS : DAEMON_LOGS);
}

async function printSerial(follow: boolean): Promise<void> {
	const { serialLog } = labPaths();
	process.stdout.write("==> serial\n");
	const child = spawn("tail", [...(follow ? ["-F"] : []), "-n", "+1", serialLog], {
		stdio: ["ignore", "inherit", "inherit"],
	});
	await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
}
