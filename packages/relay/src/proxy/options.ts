import { parseArgs } from "node:util";
import { type DomId, domId, InvalidInputError } from "@bulkhead/base";

/** Where the local end is: a unix socket by its path, a descriptor, or standard input and output. */
export type LocalPlace = { path: string } | { fd: number } | "stdio";

export interface ProxyOptions {
	mode: "client" | "server";
	/** Of the other end of the vchan. */
	domid: DomId;
	/** Of the vchan's nodes in xenstore; a server's may be relative to its domain. */
	nodePath: string;
	local: LocalPlace;
	/** Gets "running" once there is something to connect to. */
	statePath: string | undefined;
	/** A byte that clients begin with. */
	reconnectMarker: number | undefined;
	verbose: boolean;
	help: boolean;
	version: boolean;
}

export const PROXY_USAGE = `Usage: bulkhead-vchan-socket-proxy [options] DOMID NODEPATH SOCKET|FD|-

Connects a unix socket with a vchan, in place of Xen's vchan-socket-proxy.
As a client it listens on the socket, and each connection is a session of the
vchan that domain DOMID serves at NODEPATH. As a server it offers a vchan to
domain DOMID, publishes it at NODEPATH, and connects to the socket for each
client that comes. A number is a descriptor (of a client: one that listens; of a
server: one that is connected), "-" is standard input and output, for one session.

  -m, --mode=client|server     default client
  -s, --state-path=PATH        xenstore node that gets "running"
  -v, --verbose                tell of sessions on stderr
      --reconnect-marker=N     byte that clients begin with, as Qubes' proxy
                               does; -1 for none (default)
  -h, --help
  -V, --version
`;

/** @throws InvalidInputError */
export function parseProxyOptions(argv: readonly string[]): ProxyOptions {
	const { values, positionals } = parse(argv);
	const { mode, help = false, version = false, verbose = false } = values;
	if (mode !== "client" && mode !== "server") throw new InvalidInputError("Option --mode takes client or server");
	const marker = Number(values["reconnect-marker"]);
	if (!Number.isInteger(marker) || marker < -1 || marker > 255)
		throw new InvalidInputError("Option --reconnect-marker takes a byte, or -1");
	const [domid = "", nodePath = "", local = "", ...rest] = help || version ? ["0", "/", "-"] : positionals;
	if (rest.length > 0 || local === "" || nodePath === "")
		throw new InvalidInputError("DOMID, NODEPATH and SOCKET, FD or - are needed");
	return {
		mode,
		domid: domId(domid),
		nodePath,
		local: localPlace(local),
		statePath: values["state-path"],
		reconnectMarker: marker === -1 ? undefined : marker,
		verbose,
		help,
		version,
	};
}

function localPlace(text: string): LocalPlace {
	if (text === "-") return "stdio";
	return /^\d+$/.test(text) ? { fd: Number(text) } : { path: text };
}

interface Parsed {
	values: {
		mode: string;
		"state-path"?: string;
		"reconnect-marker": string;
		verbose?: boolean;
		help?: boolean;
		version?: boolean;
	};
	positionals: string[];
}

function parse(argv: readonly string[]): Parsed {
	try {
		return parseArgs({
			// parseArgs takes "-1" after an option for an option of its own.
			args: argv.flatMap((arg, at) => (argv[at - 1] === "--reconnect-marker" ? [] : joined(arg, argv[at + 1]))),
			strict: true,
			allowPositionals: true,
			options: {
				mode: { type: "string", short: "m", default: "client" },
				"state-path": { type: "string", short: "s" },
				"reconnect-marker": { type: "string", default: "-1" },
				verbose: { type: "boolean", short: "v" },
				help: { type: "boolean", short: "h" },
				version: { type: "boolean", short: "V" },
			},
		});
	} catch (error) {
		throw new InvalidInputError("Command line is wrong", { cause: error });
	}
}

function joined(arg: string, next: string | undefined): string[] {
	return arg === "--reconnect-marker" && next !== undefined ? [`${arg}=${next}`] : [arg];
}
