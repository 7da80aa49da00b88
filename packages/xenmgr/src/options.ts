import { parseArgs } from "node:util";
import { InvalidInputError } from "@bulkhead/base";

export const VERSION = "0.1.0";

export interface DaemonOptions {
	socket: string;
	relaySocket: string;
	stateDirectory: string;
	/** Where hvmloader is looked for. */
	firmware: string;
	bios: string;
	stubKernel: string;
	stubRamdisk: string;
	stubCommandLine: string;
	stubMemoryMiB: number;
	logLevel: string;
	/** Lets clients make a create fail, or kill the daemon, at a chosen step: for tests only. */
	allowFaults: boolean;
}

const OPTIONS = {
	socket: { type: "string", default: "/run/bulkhead/bulkheadd.sock", help: "unix socket of the HTTP API" },
	"relay-socket": { type: "string", default: "/run/bulkhead/relay/control.sock", help: "the relay's control socket" },
	"state-directory": { type: "string", default: "/var/lib/bulkhead/guests", help: "records of guests" },
	firmware: { type: "string", default: "", help: "hvmloader; by default that of the installed Xen" },
	bios: { type: "string", default: "/usr/share/seabios/bios-256k.bin", help: "SeaBIOS" },
	"stub-kernel": { type: "string", default: "/usr/lib/bulkhead/stubdom/vmlinux", help: "the stub domain's kernel" },
	"stub-ramdisk": {
		type: "string",
		default: "/usr/lib/bulkhead/stubdom/rootfs.cpio",
		help: "the stub domain's ramdisk",
	},
	"stub-command-line": {
		type: "string",
		default: "console=hvc0 rdinit=/init panic=-1 xen_privcmd.unrestricted=1 quiet",
		help: "the stub domain's kernel command line",
	},
	"stub-memory": { type: "string", default: "128", help: "the stub domain's memory in MiB" },
	"log-level": { type: "string", default: "info", help: "trace, debug, info, warn, error" },
	"allow-fault-injection": { type: "boolean", default: false, help: "for tests only" },
	version: { type: "boolean", default: false, help: "print the version" },
	help: { type: "boolean", short: "h", default: false, help: "print this text" },
} as const;

export type ParsedOptions = { run: DaemonOptions } | { print: string };

/** @throws InvalidInputError on an unknown option */
export function parseOptions(args: readonly string[]): ParsedOptions {
	const values = parse(args);
	if (values.version) return { print: `bulkheadd ${VERSION}` };
	if (values.help) return { print: helpText() };
	const stubMemoryMiB = Number(values["stub-memory"]);
	if (!Number.isInteger(stubMemoryMiB) || stubMemoryMiB < 32)
		throw new InvalidInputError(`Option --stub-memory=${values["stub-memory"]} is no number of MiB`, {
			remedy: "Give a whole number, 32 or more",
		});
	return {
		run: {
			socket: values.socket,
			relaySocket: values["relay-socket"],
			stateDirectory: values["state-directory"],
			firmware: values.firmware,
			bios: values.bios,
			stubKernel: values["stub-kernel"],
			stubRamdisk: values["stub-ramdisk"],
			stubCommandLine: values["stub-command-line"],
			stubMemoryMiB,
			logLevel: values["log-level"],
			allowFaults: values["allow-fault-injection"],
		},
	};
}

function parse(args: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"] {
	try {
		return parseArgs({ args: [...args], options: OPTIONS }).values;
	} catch (cause) {
		throw new InvalidInputError("Cannot read bulkheadd's options", { cause, remedy: "See bulkheadd --help" });
	}
}

function helpText(): string {
	const rows = Object.entries(OPTIONS).map(([name, option]) => {
		const preset = option.type === "string" && option.default !== "" ? ` (${option.default})` : "";
		return `  --${name.padEnd(22)} ${option.help}${preset}`;
	});
	return `Usage: bulkheadd [options]\n\nThe privileged daemon of Bulkhead: guests, their stub domains, and an HTTP API on a unix socket.\n\n${rows.join("\n")}`;
}
