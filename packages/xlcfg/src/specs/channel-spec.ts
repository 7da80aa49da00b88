import { InvalidInputError, printable } from "@bulkhead/base";
import { defined } from "../defined.ts";
import type { ChannelConfig } from "../guest-config.ts";
import { XLCFG_LIMITS } from "../limits.ts";
import { parseBackend, parseKeyed, parseWord } from "./parameters.ts";

const WHAT = "The channel";
/** A name becomes a value in xenstore and a link's name in the guest. */
const NAME = /^[A-Za-z0-9_.:@+-]{1,64}$/;

/** Reads one entry of `channel = [ … ]` (channels.md §1), strictly. @throws InvalidInputError */
export function parseChannelSpec(text: string): ChannelConfig {
	const given = parseKeyed(WHAT, text, ["connection", "name", "path", "backend"]);
	const connection = parseWord(WHAT, "connection", given.connection, ["pty", "socket"]);
	if (connection === undefined)
		throw new InvalidInputError(`${WHAT} lacks its connection`, {
			remedy: "Add connection=pty, or connection=socket with path=",
		});
	const { name, path } = given;
	if (name === undefined)
		throw new InvalidInputError(`${WHAT} lacks its name`, { remedy: "Add name=org.example.agent.v1" });
	if (!NAME.test(name) || /^\.+$/.test(name))
		throw new InvalidInputError(`"${printable(name, 64)}" is no name of a channel`, {
			remedy: "Use at most 64 letters, digits, dots, dashes and underscores",
		});
	return defined<ChannelConfig>({
		name,
		connection,
		path: checkSocketPath(connection, path),
		backend: parseBackend(WHAT, given.backend),
	});
}

function checkSocketPath(connection: ChannelConfig["connection"], path: string | undefined): string | undefined {
	if (connection === "pty") {
		if (path === undefined) return undefined;
		throw new InvalidInputError(`${WHAT}: path goes with connection=socket`, { remedy: "Remove path=" });
	}
	if (path === undefined)
		throw new InvalidInputError(`${WHAT} lacks the path of its socket`, { remedy: "Add path=/run/…" });
	if (!path.startsWith("/")) throw new InvalidInputError(`${WHAT}: path is not absolute`);
	if (Buffer.byteLength(path) <= XLCFG_LIMITS.socketPathBytes) return path;
	throw new InvalidInputError(`${WHAT}: the path of a socket has at most ${XLCFG_LIMITS.socketPathBytes} bytes`);
}

/** @throws InvalidInputError when two channels have one name, or one socket */
export function checkChannelFits(channel: ChannelConfig, earlier: readonly ChannelConfig[]): void {
	for (const other of earlier) {
		if (other.name === channel.name) throw new InvalidInputError(`There are two channels ${channel.name}`);
		if (channel.path !== undefined && other.path === channel.path && other.backend === channel.backend)
			throw new InvalidInputError(`Channels ${other.name} and ${channel.name} have the same socket`);
	}
}

export function formatChannel({ name, connection, path, backend }: ChannelConfig): string {
	return [
		...[`name=${name}`, `connection=${connection}`],
		...(path === undefined ? [] : [`path=${path}`]),
		...(backend === undefined ? [] : [`backend=${backend}`]),
	].join(",");
}
