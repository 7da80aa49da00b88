import { InvalidInputError, printable } from "@bulkhead/base";
import { defined } from "../defined.ts";
import type { ChannelConfig } from "../guest-config.ts";
import { channelEndpoint } from "./channel-endpoint.ts";
import { parseBackend, parseKeyed, splitQuotedParameters } from "./parameters.ts";

const WHAT = "The channel";
/** A name becomes a value in xenstore and a link's name in the guest. */
const NAME = /^[A-Za-z0-9_.:@+-]{1,64}$/;

/** Reads one entry of `channel = [ … ]` (channels.md §1), strictly. @throws InvalidInputError */
export function parseChannelSpec(text: string): ChannelConfig {
	const parameters = splitQuotedParameters(WHAT, text);
	const { name, path, ...given } = parseKeyed(WHAT, parameters, ["connection", "name", "path", "backend"]);
	const connection = given.connection === "pty:" ? "pty" : given.connection;
	if (connection === undefined)
		throw new InvalidInputError(`${WHAT} lacks its connection`, {
			remedy: "Add connection=pty, or connection=socket with path=",
		});
	if (name === undefined)
		throw new InvalidInputError(`${WHAT} lacks its name`, { remedy: "Add name=org.example.agent.v1" });
	if (!NAME.test(name) || /^\.+$/.test(name))
		throw new InvalidInputError(`"${printable(name, 64)}" is no name of a channel`, {
			remedy: "Use at most 64 letters, digits, dots, dashes and underscores",
		});
	if (path !== undefined && connection !== "socket")
		throw new InvalidInputError(`${WHAT}: path goes with connection=socket`, { remedy: "Remove path=" });
	const channel = defined<ChannelConfig>({ name, connection, path, backend: parseBackend(WHAT, given.backend) });
	channelEndpoint(channel);
	return channel;
}

/** @throws InvalidInputError when two channels have one name, or one place to listen at */
export function checkChannelFits(channel: ChannelConfig, earlier: readonly ChannelConfig[]): void {
	const listener = listensAt(channel);
	for (const other of earlier) {
		if (other.name === channel.name) throw new InvalidInputError(`There are two channels ${channel.name}`);
		if (listener !== undefined && listensAt(other) === listener)
			throw new InvalidInputError(`Channels ${other.name} and ${channel.name} have the same socket`);
	}
}

function listensAt(channel: ChannelConfig): string | undefined {
	const endpoint = channelEndpoint(channel);
	if (endpoint.kind === "unix") return `${channel.backend ?? 0} ${endpoint.path}`;
	return endpoint.kind === "tcp" && endpoint.listen ? `${endpoint.host}:${endpoint.port}` : undefined;
}

export function formatChannel({ name, connection, path, backend }: ChannelConfig): string {
	const pairs = Object.entries({ name, connection, path, backend });
	return pairs.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${quoted(value)}`])).join(",");
}

/** Blanks at the ends would be dropped, and a comma would end the value. */
const quoted = (value: string): string => (/,|^\s|\s$/.test(value) ? `"${value}"` : value);
