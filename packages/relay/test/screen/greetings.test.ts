import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type Duplex, duplexPair } from "node:stream";
import { createSecureContext } from "node:tls";
import { BulkheadError } from "@bulkhead/base";
import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { greetQemu } from "../../src/screen/rfb/greet-qemu.ts";
import { greetViewer, type ViewerSecurity } from "../../src/screen/rfb/greet-viewer.ts";
import { takeBytes } from "../../src/stream/take-bytes.ts";
import { RfbViewer, type RfbViewerOptions } from "../../src/testing/index.ts";

const pem = (name: string): string => readFileSync(new URL(`../channel/keys/${name}`, import.meta.url), "utf8");
const CONTEXT = createSecureContext({ cert: pem("server.pem"), key: pem("server.key") });
const TRUST = { ca: pem("ca.pem"), servername: "agents.example.org" };
const INIT = Buffer.concat([
	Buffer.from([0, 2, 0, 1]),
	Buffer.alloc(16),
	Buffer.from([0, 0, 0, 4]),
	Buffer.from("name"),
]);

function pair(): [Duplex, Duplex] {
	const ends = duplexPair();
	for (const end of ends) end.on("error", () => {});
	return ends as [Duplex, Duplex];
}

/** Real ones: TLS takes a socket over from below. */
async function socketPair(): Promise<[Socket, Socket]> {
	const server = createServer({ noDelay: true }).listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	const theirs = connect({ port, host: "127.0.0.1", noDelay: true });
	const [ours] = (await once(server, "connection")) as [Socket];
	server.close();
	for (const end of [ours, theirs]) end.on("error", () => {});
	return [ours, theirs];
}

/** Both sides at once: what each came to. The server's side sees the viewer's ClientInit and answers it. */
async function meet(security: ViewerSecurity, options: RfbViewerOptions): Promise<PromiseSettledResult<unknown>[]> {
	const [ours, theirs] = await socketPair();
	const served = async (): Promise<number> => {
		const viewer = await greetViewer(ours, security);
		viewer.accept();
		const [shared = -1] = await takeBytes(viewer.stream, 1);
		viewer.stream.write(INIT);
		return shared;
	};
	const results = await Promise.allSettled([
		served().catch((error: unknown) => {
			ours.end();
			throw error;
		}),
		RfbViewer.over(theirs, options).catch((error: unknown) => {
			theirs.end();
			throw error;
		}),
	]);
	ours.destroy();
	theirs.destroy();
	return results;
}

describe("a greeting with a viewer", () => {
	it.each<[string, ViewerSecurity, RfbViewerOptions]>([
		["nothing", {}, {}],
		["a password", { password: "secret" }, { password: "secret" }],
		["TLS", { tls: CONTEXT }, { tls: TRUST }],
		["TLS and a password", { tls: CONTEXT, password: "secret" }, { tls: TRUST, password: "secret" }],
	])("asks for %s, of viewers of every age, however their bytes are cut", async (_, security, options) => {
		for (const minor of security.tls ? ([7, 8] as const) : ([3, 7, 8] as const))
			for (const pieceBytes of [1, 2, 3, 5, 11, 64]) {
				const [served, viewer] = await meet(security, { ...options, minor, pieceBytes });
				expect(served).toEqual({ status: "fulfilled", value: 1 });
				expect(viewer).toMatchObject({ status: "fulfilled", value: { width: 2, height: 1, name: "name" } });
			}
	});

	it.each<[string, ViewerSecurity, RfbViewerOptions, string, string]>([
		["a wrong password", { password: "a" }, { password: "b" }, "wrong-password", "Authentication failed"],
		["no password", { password: "a" }, {}, "protocol-error", "Only types 2"],
		[
			"a password where TLS is wanted",
			{ tls: CONTEXT, password: "a" },
			{ password: "a" },
			"protocol-error",
			"Only types 19",
		],
		[
			"a wrong password in TLS",
			{ tls: CONTEXT, password: "a" },
			{ tls: TRUST, password: "b" },
			"wrong-password",
			"Auth",
		],
		["RFB 3.3 where TLS is wanted", { tls: CONTEXT }, { minor: 3 }, "protocol-error", "TLS only"],
		["a wrong password, in RFB 3.3", { password: "a" }, { password: "b", minor: 3 }, "wrong-password", "No reason"],
	])("refuses %s and says so", async (_, security, options, code, told) => {
		const [served, viewer] = await meet(security, options);
		expect(served).toMatchObject({ status: "rejected", reason: { code } });
		expect(viewer).toMatchObject({ status: "rejected", reason: { message: expect.stringContaining(told) as string } });
	});

	it.each([
		["no RFB", "GET / HTTP/1.1\r\n\r\n"],
		["RFB 4", "RFB 004.000\n"],
		["a type that was not offered", "RFB 003.008\n\x02"],
		["no version of VeNCrypt that there is", "RFB 003.008\n\x13\x00\x01", true],
		["a subtype that was not offered", "RFB 003.008\n\x13\x00\x02\0\0\x01\x06", true],
		["TLS that is none", "RFB 003.008\n\x13\x00\x02\0\0\x01\x04hello, hello, hello, hello", true],
	])("ends with a viewer that speaks %s", async (_, words, hasTls = false) => {
		const [ours, theirs] = pair();
		theirs.resume();
		theirs.write(Buffer.from(words, "latin1"));
		await expect(greetViewer(ours, hasTls ? { tls: CONTEXT } : {})).rejects.toMatchObject({ code: "protocol-error" });
		ours.destroy();
	});

	it("waits in peace for a byte that does not come", async () => {
		const [ours, theirs] = pair();
		const greeted = greetViewer(ours, {});
		theirs.write("R");
		let turns = 0;
		while (turns < 100) {
			await new Promise((resolve) => setImmediate(resolve));
			turns++;
		}
		ours.destroy();
		await expect(greeted).rejects.toMatchObject({ code: "protocol-error" });
	});

	property.prop([fc.uint8Array({ maxLength: 40 }), fc.boolean(), fc.boolean(), fc.boolean()], { numRuns: 300 })(
		"ends cleanly whatever a viewer says, and never lets one in without the password",
		async (bytes, beginsWell, hasPassword, hasTls) => {
			const [ours, theirs] = pair();
			theirs.resume();
			const begin = beginsWell ? Buffer.from("RFB 003.008\n") : Buffer.alloc(0);
			theirs.end(Buffer.concat([begin, bytes]));
			const security = { ...(hasPassword && { password: "secret" }), ...(hasTls && { tls: CONTEXT }) };
			const outcome = await greetViewer(ours, security).catch((error: unknown) => error);
			ours.destroy();
			if (hasPassword || hasTls || outcome instanceof Error) expect(outcome).toBeInstanceOf(BulkheadError);
		},
	);
});

describe("a greeting with a QEMU", () => {
	const honest = Buffer.from("RFB 003.008\n\x02\x05\x01\0\0\0\0more", "latin1");

	property.prop([fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 24 })])(
		"takes its words however they are cut, and no byte more",
		async (sizes) => {
			const [ours, theirs] = pair();
			const greeted = greetQemu(ours);
			let at = 0;
			for (const size of [...sizes, honest.length]) {
				if (at < honest.length) theirs.write(honest.subarray(at, at + size));
				at += size;
				await new Promise((resolve) => setImmediate(resolve));
			}
			await greeted;
			expect((await takeBytes(ours, 4)).toString()).toBe("more");
			expect((await takeBytes(theirs, 13)).toString("latin1")).toBe("RFB 003.008\n\x01");
			ours.destroy();
			theirs.destroy();
		},
	);

	it("fails at whichever byte it closes", async () => {
		for (let length = 0; length < honest.length - 4; length++) {
			const [ours, theirs] = pair();
			theirs.resume();
			theirs.end(honest.subarray(0, length));
			await expect(greetQemu(ours)).rejects.toMatchObject({ code: "protocol-error" });
			ours.destroy();
		}
	});

	it.each([
		["that wants a password", "RFB 003.008\n\x01\x02", "protocol-error"],
		["that wants TLS", "RFB 003.008\n\x01\x13", "protocol-error"],
		["that offers nothing", "RFB 003.008\n\0\0\0\0\x04gone", "screen-refused"],
		["that changes its mind", "RFB 003.008\n\x01\x01\0\0\0\x01\0\0\0\x02no", "screen-refused"],
	])("says nothing to one %s", async (_, words, code) => {
		const [ours, theirs] = pair();
		theirs.resume();
		theirs.write(Buffer.from(words, "latin1"));
		await expect(greetQemu(ours)).rejects.toMatchObject({ code });
		ours.destroy();
	});

	property.prop([fc.uint8Array({ maxLength: 600 }), fc.boolean()], { numRuns: 300 })(
		"ends cleanly whatever it says",
		async (bytes, beginsWell) => {
			const [ours, theirs] = pair();
			theirs.resume();
			theirs.end(Buffer.concat([beginsWell ? Buffer.from("RFB 003.008\n") : Buffer.alloc(0), bytes]));
			const outcome = await greetQemu(ours).catch((error: unknown) => error);
			ours.destroy();
			if (outcome !== undefined) expect(outcome).toBeInstanceOf(BulkheadError);
		},
	);
});
