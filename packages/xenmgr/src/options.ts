import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { InvalidInputError } from "@bulkhead/base";
import type { GuestCpus } from "@bulkhead/toolstack";
import { XENSTORED_SOCKET } from "@bulkhead/xenstore";
import { parseListenAddress } from "./http/browser/listen-address.ts";
import type { BrowserListening } from "./http/browser/serve-browsers.ts";

export const VERSION = "0.1.0";

export const HYPERVISORS = ["native", "sim"] as const;

export interface DaemonOptions {
	/** `sim`: a simulated host in this process, with xenstored and relay. */
	hypervisor: (typeof HYPERVISORS)[number];
	/** Everything that a simulated host keeps, unless another option names another place. */
	simDirectory: string;
	simMemoryMiB: number;
	xenstoreSocket: string;
	socket: string;
	/** Where browsers are served guests' screens, if they are. */
	browsers?: BrowserListening;
	relaySocket: string;
	/** Default: beside it. */
	relayInbox?: string;
	stateDirectory: string;
	/** Where hvmloader is looked for. */
	firmware: string;
	bios: string;
	ovmf: string;
	qemu: string;
	pvGrub: string;
	pvhGrub: string;
	logDirectory: string;
	dumpDirectory: string;
	stubKernel: string;
	stubRamdisk: string;
	stubCommandLine: string;
	stubMemoryMiB: number;
	/** Whom the servers of disk images that are not raw run as. */
	imageUser: string;
	/** The processors that are left to guests. */
	guestCpus: GuestCpus;
	/** What nics join whose config names no bridge. */
	bridge: string;
	/** Where hot-plug scripts without a path are. */
	scriptDirectory: string;
	/** Files in PEM: with them, viewers on TCP must speak TLS. */
	vncTls?: { cert: string; key: string };
	/** Screens on the network with neither password nor TLS, where a config asks for one. */
	vncAllowPlain: boolean;
	/** Consoles of other toolstacks' domains too, in place of xenconsoled. */
	serveAllConsoles: boolean;
	logLevel: string;
	/** Lets clients make a create fail, or kill the daemon, at a chosen step: for tests only. */
	allowFaults: boolean;
}

const OPTIONS = {
	hypervisor: { type: "string", default: "native", help: "native, or sim: a simulated host, on any machine" },
	"sim-directory": {
		type: "string",
		default: join(tmpdir(), `bulkhead-sim-${process.getuid?.()}`),
		help: "where a simulated host keeps all",
	},
	"sim-memory": { type: "string", default: "8192", help: "a simulated host's memory in MiB" },
	"xenstore-socket": { type: "string", default: XENSTORED_SOCKET, help: "xenstored's socket" },
	socket: { type: "string", default: "/run/bulkhead/bulkheadd.sock", help: "unix socket of the HTTP API" },
	"http-listen": {
		type: "string",
		default: "",
		help: "serve guests' screens to browsers at this address:port; nothing else is served there",
	},
	"http-certificate": { type: "string", default: "", help: "TLS for browsers, in PEM; required beyond loopback" },
	"http-key": { type: "string", default: "", help: "its private key, in PEM" },
	"relay-socket": { type: "string", default: "/run/bulkhead/relay/control.sock", help: "the relay's control socket" },
	"state-directory": { type: "string", default: "/var/lib/bulkhead/guests", help: "records of guests" },
	firmware: { type: "string", default: "", help: "hvmloader; by default that of the installed Xen" },
	bios: { type: "string", default: "/usr/share/seabios/bios-256k.bin", help: "SeaBIOS" },
	ovmf: { type: "string", default: "/usr/share/ovmf/OVMF.fd", help: 'OVMF, for bios = "ovmf"' },
	qemu: { type: "string", default: "/usr/libexec/xen-qemu-system-i386", help: "QEMU for device models in domain 0" },
	"pv-grub": {
		type: "string",
		default: "/usr/lib/grub-xen/grub-x86_64-xen.bin",
		help: 'GRUB for PV guests, for firmware = "pvgrub64"',
	},
	"pvh-grub": { type: "string", default: "/usr/lib/grub-xen/grub-i386-xen_pvh.bin", help: "GRUB for PVH guests" },
	"log-directory": { type: "string", default: "/var/log/bulkhead", help: "what QEMUs in domain 0 print" },
	"dump-directory": { type: "string", default: "/var/lib/bulkhead/dumps", help: "cores of guests that crash" },
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
	"image-user": { type: "string", default: "bulkhead-image", help: "user of qemu-nbd, which serves disk images" },
	"guest-cpus": { type: "string", default: "", help: "host processors that guests may run on, as in cpus=: 2-7" },
	"hvm-guest-cpus": { type: "string", default: "", help: "the same, for HVM and PVH guests" },
	"pv-guest-cpus": { type: "string", default: "", help: "the same, for PV guests" },
	bridge: { type: "string", default: "xenbr0", help: "the bridge of nics whose config names none" },
	"script-directory": { type: "string", default: "/etc/xen/scripts", help: "hot-plug scripts" },
	"serve-all-consoles": {
		type: "boolean",
		default: false,
		help: "serve other toolstacks' PV consoles too: for hosts without xenconsoled",
	},
	"vnc-tls-cert": {
		type: "string",
		default: "",
		help: "certificate (PEM) for viewers on TCP: they must speak TLS then",
	},
	"vnc-tls-key": { type: "string", default: "", help: "its key (PEM)" },
	"vnc-allow-plain": {
		type: "boolean",
		default: false,
		help: "let configs put screens on the network with neither password nor TLS",
	},
	"log-level": { type: "string", default: "info", help: "trace, debug, info, warn, error" },
	"allow-fault-injection": { type: "boolean", default: false, help: "for tests only" },
	version: { type: "boolean", default: false, help: "print the version" },
	help: { type: "boolean", short: "h", default: false, help: "print this text" },
} as const;

export type ParsedOptions = { run: DaemonOptions } | { print: string };

/** Where a simulated host has what a real one has at the options' defaults. */
const SIM_PLACES: Partial<Record<keyof typeof OPTIONS, string>> = {
	socket: "bulkheadd.sock",
	"relay-socket": "relay/control.sock",
	"state-directory": "guests",
	"xenstore-socket": "xenstored.sock",
	firmware: "images/hvmloader",
	bios: "images/bios.bin",
	"log-directory": "log",
	"dump-directory": "dumps",
	"stub-kernel": "images/stub-kernel",
	"stub-ramdisk": "images/stub-ramdisk",
};

/** @throws InvalidInputError on an unknown option */
export function parseOptions(args: readonly string[]): ParsedOptions {
	const { values, given } = parse(args);
	if (values.version) return { print: `bulkheadd ${VERSION}` };
	if (values.help) return { print: helpText() };
	const hypervisor = HYPERVISORS.find((known) => known === values.hypervisor);
	if (!hypervisor)
		throw new InvalidInputError(`There is no hypervisor ${JSON.stringify(values.hypervisor)}`, {
			remedy: `Give one of ${HYPERVISORS.join(", ")}`,
		});
	const place = (name: keyof typeof OPTIONS): string => {
		const simulated = hypervisor === "sim" && !given.has(name) ? SIM_PLACES[name] : undefined;
		return simulated === undefined ? String(values[name]) : join(values["sim-directory"], simulated);
	};
	return {
		run: {
			hypervisor,
			simDirectory: values["sim-directory"],
			simMemoryMiB: wholeMiB("sim-memory", values["sim-memory"]),
			xenstoreSocket: place("xenstore-socket"),
			socket: place("socket"),
			browsers: browsersOf(values),
			relaySocket: place("relay-socket"),
			stateDirectory: place("state-directory"),
			firmware: place("firmware"),
			bios: place("bios"),
			ovmf: place("ovmf"),
			qemu: place("qemu"),
			pvGrub: place("pv-grub"),
			pvhGrub: place("pvh-grub"),
			logDirectory: place("log-directory"),
			dumpDirectory: place("dump-directory"),
			stubKernel: place("stub-kernel"),
			stubRamdisk: place("stub-ramdisk"),
			stubCommandLine: values["stub-command-line"],
			stubMemoryMiB: wholeMiB("stub-memory", values["stub-memory"]),
			imageUser: values["image-user"],
			guestCpus: {
				...(values["guest-cpus"] !== "" && { all: values["guest-cpus"] }),
				...(values["hvm-guest-cpus"] !== "" && { hvm: values["hvm-guest-cpus"] }),
				...(values["pv-guest-cpus"] !== "" && { pv: values["pv-guest-cpus"] }),
			},
			bridge: values.bridge,
			scriptDirectory: values["script-directory"],
			...vncTls(values["vnc-tls-cert"], values["vnc-tls-key"]),
			vncAllowPlain: values["vnc-allow-plain"],
			serveAllConsoles: values["serve-all-consoles"],
			logLevel: values["log-level"],
			allowFaults: values["allow-fault-injection"],
		},
	};
}

/** @throws InvalidInputError for an address beyond loopback without TLS */
function browsersOf(values: {
	"http-listen": string;
	"http-certificate": string;
	"http-key": string;
}): BrowserListening | undefined {
	const { "http-listen": listen, "http-certificate": certificate, "http-key": key } = values;
	if ((certificate === "") !== (key === ""))
		throw new InvalidInputError("A certificate without its key, or a key without its certificate, is of no use", {
			remedy: "Give both --http-certificate and --http-key",
		});
	if (listen === "") {
		if (certificate === "") return undefined;
		throw new InvalidInputError("There is a certificate for browsers, and no address where they are served", {
			remedy: "Give --http-listen too",
		});
	}
	const address = parseListenAddress(listen);
	if (certificate !== "") return { address, tls: { certificate, key } };
	if (address.isLoopback) return { address };
	throw new InvalidInputError(`Option --http-listen=${listen} is beyond this host, and has no TLS`, {
		remedy: "Listen on 127.0.0.1, or give --http-certificate and --http-key",
	});
}

/** @throws InvalidInputError for one without the other */
function vncTls(cert: string, key: string): Pick<DaemonOptions, "vncTls"> {
	if (cert === "" && key === "") return {};
	if (cert !== "" && key !== "") return { vncTls: { cert, key } };
	throw new InvalidInputError("TLS for screens takes a certificate and its key", {
		remedy: "Give both --vnc-tls-cert and --vnc-tls-key",
	});
}

const LEAST_MIB = 32;

function wholeMiB(option: string, text: string): number {
	const value = Number(text);
	if (Number.isInteger(value) && value >= LEAST_MIB) return value;
	throw new InvalidInputError(`Option --${option}=${text} is no number of MiB`, {
		remedy: `Give a whole number, ${LEAST_MIB} or more`,
	});
}

function parse(args: readonly string[]): {
	values: ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];
	/** The options that were named. */
	given: ReadonlySet<string>;
} {
	try {
		const { values, tokens } = parseArgs({ args: [...args], options: OPTIONS, tokens: true });
		return { values, given: new Set(tokens.flatMap((token) => (token.kind === "option" ? [token.name] : []))) };
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
