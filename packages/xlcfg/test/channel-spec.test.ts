import { describe, expect, it } from "vitest";
import { channelEndpoint, checkChannelFits, formatChannel, parseChannelSpec } from "../src/index.ts";

describe("channel = [ … ]", () => {
	it.each([
		["name=a,connection=pty", { kind: "pty" }],
		[" connection = pty , name = org.example.agent.v1 ,, ", { kind: "pty" }],
		["name=a,connection=pty:", { kind: "pty" }],
		["name=a,connection=socket,path=/run/x=y", { kind: "unix", path: "/run/x=y", mode: 0o600 }],
		['name=a,connection=socket,path="/run/a, b"', { kind: "unix", path: "/run/a, b", mode: 0o600 }],
		["name=a,connection=unix:/run/a%3fb", { kind: "unix", path: "/run/a?b", mode: 0o600 }],
		[
			"name=a,connection=unix:/run/a?mode=0660&owner=root&group=agents",
			{ kind: "unix", path: "/run/a", mode: 0o660, owner: "root", group: "agents" },
		],
		["name=a,connection=tcp:example.org:4000", { kind: "tcp", listen: false, host: "example.org", port: 4000 }],
		["name=a,connection=tcp:[::1]:1?listen", { kind: "tcp", listen: true, host: "::1", port: 1 }],
		[
			"name=a,connection=tls:10.0.0.1:443?ca=/etc/ca.pem&server-name=agents.example.org",
			{
				kind: "tcp",
				listen: false,
				host: "10.0.0.1",
				port: 443,
				tls: { ca: "/etc/ca.pem", serverName: "agents.example.org" },
			},
		],
		[
			'name=a,connection="tls:0.0.0.0:443?listen&cert=/a,b&key=/k"',
			{ kind: "tcp", listen: true, host: "0.0.0.0", port: 443, tls: { cert: "/a,b", key: "/k" } },
		],
	])("reads %s", (text, endpoint) => {
		const channel = parseChannelSpec(text);
		expect(channelEndpoint(channel)).toEqual(endpoint);
		expect(parseChannelSpec(formatChannel(channel))).toEqual(channel);
	});

	it.each([
		["name=a", "The channel lacks its connection"],
		["connection=pty", "The channel lacks its name"],
		["name=a,connection=PTY", 'The channel: connection does not take "PTY"'],
		["name=a,connection=socket", "The channel lacks the path of its socket"],
		["name=a,connection=socket,path=", "The channel: path has no value"],
		["name=a,connection=socket,path=x", "The channel: path is not absolute"],
		["name=a,connection=socket,path=/a/../b", "The channel: path has an empty or a dotted part"],
		["name=a,connection=socket,path=/a/", "The channel: path has an empty or a dotted part"],
		[`name=a,connection=socket,path=/${"x".repeat(107)}`, "The channel: the path of a socket has at most 107 bytes"],
		["name=a,connection=pty,path=/x", "The channel: path goes with connection=socket"],
		["name=a,connection=unix:/x,path=/x", "The channel: path goes with connection=socket"],
		["name=a,name=b,connection=pty", "The channel: name is given twice"],
		["name=a/b,connection=pty", '"a/b" is no name of a channel'],
		["name=..,connection=pty", '".." is no name of a channel'],
		["name=a,conection=pty", 'The channel has no parameter "conection"'],
		['name=a,connection=socket,path=/a"b', "The channel: a quotation mark stands where none may"],
		['name=a,connection=socket,path="/a', "The channel: a quotation mark stands where none may"],
		["name=a,connection=exec:/bin/sh", "a channel never runs a program"],
		["name=a,connection=vsock:3:4", "Node has no such sockets"],
		["name=a,connection=tcp:host", "tcp: is followed by HOST:PORT"],
		["name=a,connection=tcp:host:65536", "tcp: is followed by HOST:PORT"],
		["name=a,connection=tcp:localhost:1?listen", "tcp: listens at an address, not at a name"],
		["name=a,connection=tcp:host:1?ca=/x", 'connection has no option "ca" here'],
		["name=a,connection=tls:10.0.0.1:1?listen", "tls: needs a certificate with its key"],
		["name=a,connection=tls:host:1?cert=/x", "tls: takes a certificate with its key"],
		["name=a,connection=tls:host:1?ca=x", "ca takes the absolute path of a file"],
		["name=a,connection=unix:/a?mode=1777", "mode takes three octal digits"],
		["name=a,connection=unix:/a?owner=a b", "owner is no user's"],
		["name=a,connection=unix:/a%zz", "a percent sign that stands for nothing"],
		["name=a,connection=unix:/a%00", "connection has a control character"],
	])("refuses %s", (text, message) => {
		expect(() => parseChannelSpec(text)).toThrow(message);
	});

	it("has each name and each place to listen once", () => {
		const [one, same, other] = [
			"name=a,connection=socket,path=/x",
			"name=b,connection=unix:/x",
			"name=b,connection=pty",
		].map(parseChannelSpec) as [never, never, never];
		expect(() => checkChannelFits(same, [one])).toThrow("Channels a and b have the same socket");
		expect(() => checkChannelFits(one, [one])).toThrow("There are two channels a");
		expect(() => checkChannelFits(other, [one])).not.toThrow();
	});
});
