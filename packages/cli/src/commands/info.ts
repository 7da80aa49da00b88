import { printable } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";

const toMiB = (kiB: number): string => `${Math.floor(kiB / 1024)}`;

/** The host's facts under the names that `xl info` has for them. */
export async function info(context: CommandContext): Promise<void> {
	const host = await context.client.host();
	if (context.json) {
		context.printJson(host);
		return;
	}
	const facts: [string, string][] = [
		["xen_version", host.xenVersion],
		["xen_caps", host.capabilities.join(" ")],
		["xen_commandline", host.commandLine],
		["cc_compiler", host.compiler],
		["nr_cpus", `${host.nrCpus}`],
		["cpu_mhz", (host.cpuKHz / 1000).toFixed(3)],
		["total_memory", toMiB(host.totalKiB)],
		["free_memory", toMiB(host.freeKiB)],
		["virt_caps", [...(host.hvm ? ["hvm"] : []), ...(host.hap ? ["hap"] : [])].join(" ")],
		["bulkheadd", `${host.daemon.version} (pid ${host.daemon.pid})`],
		["bulkhead_relay", host.relay.connected ? "connected" : "not connected"],
	];
	for (const [key, value] of facts) context.print(`${key.padEnd(23)}: ${printable(value, 4096)}`);
}
