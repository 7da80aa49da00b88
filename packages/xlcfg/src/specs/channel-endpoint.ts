import { isIP } from "node:net";
import { InvalidInputError, printable } from "@bulkhead/base";
import type { ChannelConfig } from "../guest-config.ts";
import { XLCFG_LIMITS } from "../limits.ts";

/** Files with keys and certificates, in PEM. */
export interface ChannelTls {
	/** Who may have signed the peer's certificate. Connecting: by default whom the host trusts. Listening: clients need one. */
	ca?: string;
	/** Our own certificate and its key: listening needs them. */
	cert?: string;
	key?: string;
	/** The name that the server's certificate must have. Default: the host's. Only to connect. */
	serverName?: string;
}

/** Where a channel's end on the host is. Names are the host's own: nothing here means a place in another domain. */
export type ChannelEndpoint =
	| { kind: "pty" }
	/** A listening socket, made by the daemon. */
	| { kind: "unix"; path: string; mode: number; owner?: string; group?: string }
	| { kind: "tcp"; listen: boolean; host: string; port: number; tls?: ChannelTls };

type Options = Map<string, string | undefined>;

const WHAT = "The channel";
const DEFAULT_MODE = 0o600;
const MODE = /^0?[0-7]{3}$/;
const USER = /^[a-z_][a-z0-9_-]{0,31}\$?$|^[0-9]{1,10}$/;
const ADDRESS = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)):([0-9]{1,5})$/;
const TLS_FILES = ["ca", "cert", "key"] as const;

/** What `connection` and `path` come to. @throws InvalidInputError */
export function channelEndpoint({ connection, path }: Pick<ChannelConfig, "connection" | "path">): ChannelEndpoint {
	if (connection === "pty" || connection === "pty:") return { kind: "pty" };
	if (connection === "socket") return { kind: "unix", path: checkSocketPath(path ?? ""), mode: DEFAULT_MODE };
	const [, scheme = "", rest = ""] = /^([a-z]+):(.*)$/.exec(connection) ?? [];
	const [place, query] = splitOnce(rest, "?");
	const options = readOptions(query);
	switch (scheme) {
		case "unix":
			return unixEndpoint(decode(place), options);
		case "tcp":
		case "tls":
			return tcpEndpoint(scheme, place, options);
		case "vsock":
			throw new InvalidInputError(`${WHAT}: connection=vsock: is not to be had: Node has no such sockets`, {
				remedy: "Use unix: and join the two, for example with socat",
			});
		case "exec":
			throw new InvalidInputError(`${WHAT}: connection=exec: does not exist: a channel never runs a program`, {
				remedy: "Use unix: and have a service manager start the program at a connection",
			});
		default:
			throw new InvalidInputError(`${WHAT}: connection does not take "${printable(connection, 32)}"`, {
				remedy: "Use pty, socket with path=, unix:/PATH, tcp:HOST:PORT or tls:HOST:PORT",
			});
	}
}

function unixEndpoint(path: string, options: Options): ChannelEndpoint {
	allowOptions(options, ["mode", "owner", "group"]);
	const mode = options.get("mode") ?? "0600";
	if (!MODE.test(mode)) throw new InvalidInputError(`${WHAT}: mode takes three octal digits, as 0660`);
	const user = (name: "owner" | "group"): object => {
		const value = options.get(name);
		if (value === undefined) return {};
		if (!USER.test(value)) throw new InvalidInputError(`${WHAT}: ${name} is no user's or group's name or number`);
		return { [name]: value };
	};
	const asked = { kind: "unix" as const, path: checkSocketPath(path), mode: Number.parseInt(mode, 8) };
	return { ...asked, ...user("owner"), ...user("group") };
}

function tcpEndpoint(scheme: "tcp" | "tls", place: string, options: Options): ChannelEndpoint {
	const [, six, name, port = "0"] = ADDRESS.exec(place) ?? [];
	const host = six ?? name;
	if (host === undefined || Number(port) < 1 || Number(port) > 65_535)
		throw new InvalidInputError(`${WHAT}: ${scheme}: is followed by HOST:PORT, not "${printable(place, 64)}"`, {
			remedy: `Write ${scheme}:agents.example.org:4000, or ${scheme}:127.0.0.1:4000?listen`,
		});
	if ((options.get("listen") ?? "") !== "") throw new InvalidInputError(`${WHAT}: listen has no value`);
	const listen = options.has("listen");
	if (listen && isIP(host) === 0)
		throw new InvalidInputError(`${WHAT}: ${scheme}: listens at an address, not at a name`, {
			remedy: `Write ${scheme}:127.0.0.1:4000?listen, or ${scheme}:[::]:4000?listen for all`,
		});
	const tcp = { kind: "tcp" as const, listen, host, port: Number(port) };
	if (scheme === "tcp") {
		allowOptions(options, ["listen"]);
		return tcp;
	}
	allowOptions(options, ["listen", ...TLS_FILES, ...(listen ? [] : ["server-name"])]);
	return { ...tcp, tls: readTls(options, listen) };
}

function readTls(options: Options, listen: boolean): ChannelTls {
	const tls: ChannelTls = {};
	for (const name of TLS_FILES) {
		const path = options.get(name);
		if (path === undefined) continue;
		if (!path.startsWith("/") || Buffer.byteLength(path) > XLCFG_LIMITS.pathBytes)
			throw new InvalidInputError(`${WHAT}: ${name} takes the absolute path of a file`);
		tls[name] = path;
	}
	if ((tls.cert === undefined) !== (tls.key === undefined) || (listen && tls.cert === undefined))
		throw new InvalidInputError(`${WHAT}: tls: ${listen ? "needs" : "takes"} a certificate with its key`, {
			remedy: "Give both cert=/FILE and key=/FILE",
		});
	const serverName = options.get("server-name");
	if (serverName !== undefined && !/^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/.test(serverName))
		throw new InvalidInputError(`${WHAT}: server-name is no host's name`);
	return serverName === undefined ? tls : { ...tls, serverName };
}

/** In its shortest form, so that equal paths are equal text. What lies there is looked at when the socket is made. */
function checkSocketPath(path: string): string {
	if (path === "") throw new InvalidInputError(`${WHAT} lacks the path of its socket`, { remedy: "Add path=/run/…" });
	if (!path.startsWith("/")) throw new InvalidInputError(`${WHAT}: path is not absolute`);
	if (/\/(?:\/|\.{1,2}(?:\/|$)|$)/.test(path))
		throw new InvalidInputError(`${WHAT}: path has an empty or a dotted part`, { remedy: "Write it without" });
	if (Buffer.byteLength(path) > XLCFG_LIMITS.socketPathBytes)
		throw new InvalidInputError(`${WHAT}: the path of a socket has at most ${XLCFG_LIMITS.socketPathBytes} bytes`);
	return path;
}

function readOptions(query: string | undefined): Options {
	const options: Options = new Map();
	for (const option of query === undefined ? [] : query.split("&")) {
		const [name, value] = splitOnce(option, "=");
		if (options.has(name)) throw new InvalidInputError(`${WHAT}: ${printable(name, 32)} is given twice`);
		options.set(name, value === undefined ? undefined : decode(value));
	}
	return options;
}

function allowOptions(options: Options, known: readonly string[]): void {
	for (const [name, value] of options)
		if (!known.includes(name) || (value === undefined && name !== "listen"))
			throw new InvalidInputError(`${WHAT}: connection has no option "${printable(name, 32)}" here`, {
				remedy: `Known are ${known.join(", ")}, each with =VALUE`.replace("listen,", "listen (without a value),"),
			});
}

/** Percent signs stand for characters that the address itself uses. */
function decode(text: string): string {
	let decoded: string;
	try {
		decoded = decodeURIComponent(text);
	} catch {
		throw new InvalidInputError(`${WHAT}: "${printable(text, 64)}" has a percent sign that stands for nothing`);
	}
	if (/\p{Cc}/u.test(decoded)) throw new InvalidInputError(`${WHAT}: connection has a control character`);
	return decoded;
}

function splitOnce(text: string, separator: string): [string, string?] {
	const at = text.indexOf(separator);
	return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
