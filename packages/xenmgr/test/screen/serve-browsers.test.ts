import { readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { hostnameOf, isLoopbackHost } from "../../src/http/browser/allowed-hosts.ts";
import { serveBrowsers } from "../../src/http/browser/serve-browsers.ts";
import type { Screens } from "../../src/screen/screens.ts";

const ANYWHERE = { host: "0.0.0.0", port: 0, isLoopback: false };
const HERE = { host: "127.0.0.1", port: 0, isLoopback: true };
/** Nobody is let in here. */
const nobody = {} as Screens;

/** Made for channels: a certificate for agents.example.org, and its authority's. */
const KEYS = join(import.meta.dirname, "../../../relay/test/channel/keys");
const tls = { certificate: join(KEYS, "server.pem"), key: join(KEYS, "server.key") };
const ca = readFileSync(join(KEYS, "ca.pem"));

function status(port: number, host: string): Promise<number> {
	const options = { host: "127.0.0.1", port, path: "/guests/web/screen", agent: false, headers: { host } };
	return new Promise((resolve, reject) => {
		request({ ...options, ca, checkServerIdentity: () => undefined }, (response) => {
			response.resume();
			resolve(response.statusCode ?? 0);
		})
			.on("error", reject)
			.end();
	});
}

describe("browsers", () => {
	test("beyond this host are served with TLS, by the names of the certificate", async () => {
		const server = await serveBrowsers({ address: ANYWHERE, tls }, nobody);
		onTestFinished(() => server.close());
		const { hostname, port, protocol } = new URL(server.url);
		expect([protocol, hostname]).toEqual(["https:", "agents.example.org"]);
		for (const name of ["agents.example.org", `agents.example.org:${port}`, "AGENTS.example.org:1"])
			expect([name, await status(Number(port), name)]).toEqual([name, 200]);
		for (const name of ["evil.example", "localhost", "example.org", "127.0.0.1", "192.0.2.1"])
			expect([name, await status(Number(port), name)]).toEqual([name, 421]);
		await expect(fetch(`http://127.0.0.1:${port}/guests/web/screen`)).rejects.toThrow();
	});

	test("beyond this host are not served without TLS, whoever asks", async () => {
		await expect(serveBrowsers({ address: ANYWHERE }, nobody)).rejects.toMatchObject({ code: "invalid-input" });
		const missing = { certificate: join(KEYS, "none.pem"), key: tls.key };
		await expect(serveBrowsers({ address: ANYWHERE, tls: missing }, nobody)).rejects.toMatchObject({
			code: "invalid-input",
		});
		const swapped = { certificate: tls.key, key: tls.certificate };
		await expect(serveBrowsers({ address: HERE, tls: swapped }, nobody)).rejects.toMatchObject({
			code: "invalid-input",
		});
	});

	test("are told when somebody else has the port", async () => {
		const server = await serveBrowsers({ address: HERE }, nobody);
		onTestFinished(() => server.close());
		const port = Number(new URL(server.url).port);
		await expect(serveBrowsers({ address: { ...HERE, port } }, nobody)).rejects.toMatchObject({
			code: "cannot-listen",
		});
	});
});

test.each([
	["127.0.0.1", "127.0.0.1"],
	["LOCALHOST:80", "localhost"],
	["[::1]:80", "[::1]"],
	["a.example.org:443", "a.example.org"],
	["", undefined],
	["a b", undefined],
	["a:b:1", undefined],
	["user@a", undefined],
	["a/..", undefined],
	[undefined, undefined],
])("the host of %s is %s", (header, name) => {
	expect(hostnameOf(header)).toBe(name);
});

test("this machine's own names are few", () => {
	expect(["localhost", "127.0.0.1", "127.9.9.9", "[::1]"].every(isLoopbackHost)).toBe(true);
	expect(["localhost.example", "127.0.0.1.nip.example", "[::2]", "0.0.0.0", "10.0.0.1"].some(isLoopbackHost)).toBe(
		false,
	);
});
