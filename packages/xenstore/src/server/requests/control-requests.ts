import { atoi, atoiUnsigned } from "../c-integer.ts";
import type { Quotas } from "../quotas.ts";
import { refuse } from "../refusal.ts";
import { acknowledge, type Call, type RequestTable, reply, stringsOf } from "./call.ts";

interface Command {
	readonly parameters: string;
	readonly run: (call: Call, args: readonly string[]) => void;
}

/** Descriptions as `xenstore-control <domid> quota` prints them. */
const QUOTA_TEXTS: Record<keyof Quotas, string> = {
	nodes: "Nodes per domain",
	watches: "Watches per domain",
	transactions: "Transactions per domain",
	outstanding: "Outstanding requests per domain",
	"transaction-nodes": "Max. number of accessed nodes per transaction",
	memory: "Total Xenstore memory per domain (error level)",
	"node-size": "Max. size of a node",
	"path-max": "Max. length of a node path",
	permissions: "Max. number of permissions per node",
};

function check(call: Call, args: readonly string[]): void {
	if (args.length > 0) refuse("EINVAL");
	call.server.log(call.server.findInconsistency() ?? "The store is consistent");
	acknowledge(call);
}

function log(call: Call, args: readonly string[]): void {
	const [mode] = args;
	if (args.length !== 1 || (mode !== "on" && mode !== "off")) refuse("EINVAL");
	call.server.isLogging = mode === "on";
	acknowledge(call);
}

function quota(call: Call, args: readonly string[]): void {
	const { quotas } = call.server;
	const [first, ...more] = args;
	if (first === undefined) reply(call, settings(Object.keys(QUOTA_TEXTS).map((name) => line(quotas, name))));
	else if (first === "set") setQuota(call, more);
	else if (more.length > 0) refuse("EINVAL");
	else reply(call, usage(call, atoiUnsigned(first)));
}

function setQuota(call: Call, args: readonly string[]): void {
	const [name = "", text = ""] = args;
	const value = atoi(text);
	if (args.length !== 2 || value < 1 || !isQuota(name)) refuse("EINVAL");
	call.server.setQuota(name, value);
	acknowledge(call);
}

function softQuota(call: Call, args: readonly string[]): void {
	const text = "Total Xenstore memory per domain (warning level)";
	if (args.length > 0) setSoftQuota(call, args);
	else reply(call, settings([formatLine("memory", call.server.softMemory, text)]));
}

function setSoftQuota(call: Call, [set, name, text = "", ...more]: readonly string[]): void {
	const value = atoi(text);
	if (set !== "set" || name !== "memory" || value < 1 || more.length > 0) refuse("EINVAL");
	call.server.softMemory = value;
	acknowledge(call);
}

function usage({ server }: Call, domid: number): string {
	const domain = server.domains.find(domid) ?? refuse("ENOENT");
	const { nodes, watches, outstanding, memory, connection } = domain;
	const transactions = connection?.transactions.size ?? 0;
	const used = Object.entries({ nodes, watches, transactions, outstanding, memory });
	const lines = used.map(([name, count]) => `${name.padEnd(16)}: ${`${count}`.padStart(8)}\n`);
	return `Domain ${domid}:\n${lines.join("")}\0`;
}

function help(call: Call, args: readonly string[]): void {
	if (args.length > 0) refuse("EINVAL");
	const lines = Object.entries(COMMANDS).map(([name, { parameters }]) => `${name}\t${parameters}\n`);
	reply(call, `${lines.join("")}\0`);
}

const COMMANDS: Record<string, Command> = {
	check: { parameters: "", run: check },
	log: { parameters: "on|off", run: log },
	quota: { parameters: "[set <name> <val>|<domid>]", run: quota },
	"quota-soft": { parameters: "[set <name> <val>]", run: softQuota },
	help: { parameters: "", run: help },
};

function control(call: Call): void {
	const [name = "", ...args] = stringsOf(call);
	const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
	if (!command) refuse("EINVAL");
	command.run(call, args);
}

function isQuota(name: string): name is keyof Quotas {
	return Object.hasOwn(QUOTA_TEXTS, name);
}

function line(quotas: Quotas, name: string): string {
	return isQuota(name) ? formatLine(name, quotas[name], QUOTA_TEXTS[name]) : "";
}

function formatLine(name: string, value: number, text: string): string {
	return `${name.padEnd(17)}: ${`${value}`.padStart(8)} ${text}\n`;
}

function settings(lines: readonly string[]): string {
	return `Quota settings:\n${lines.join("")}\0`;
}

export const CONTROL_REQUESTS: RequestTable<"CONTROL"> = {
	CONTROL: { handle: control, isPrivileged: true },
};
