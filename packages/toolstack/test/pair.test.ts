import { domId } from "@bulkhead/base";
import { XenstoreClient } from "@bulkhead/xenstore";
import { XenstoreServer } from "@bulkhead/xenstore/server";
import { describe, expect, it, onTestFinished } from "vitest";
import { type StubArguments, writePair } from "../src/device-model/pair.ts";
import { hvmConfig } from "./fixtures.ts";

const { uuid } = hvmConfig();
const VM = `/vm/${uuid}`;
const [guest, stub] = [domId(5), domId(6)];

async function pairWith(args: StubArguments): Promise<{ tree: Record<string, string>; dom0: XenstoreClient }> {
	const server = new XenstoreServer();
	const dom0 = XenstoreClient.over(server.connectClient());
	onTestFinished(async () => {
		dom0.close();
		await server.close();
	});
	await dom0.write(`${VM}/rtc/timeoffset`, "3600");
	const pair = { guest: { domid: guest, uuid }, stub, args, bios: "seabios", randomSeed: "00" };
	await dom0.transaction((tx) => writePair(tx, pair));
	return { tree: server.host.toJSON(), dom0 };
}

const readableByStub = [
	{ domid: 0, access: "none" },
	{ domid: 6, access: "read" },
];

describe("writePair", () => {
	it("gives a Linux stub domain a key for each argument", async () => {
		const { tree, dom0 } = await pairWith({ protocol: "linux", dmArgv: ["-name", "a b"] });
		expect(tree).toMatchObject({
			[`${VM}/image/dm-argv/001`]: "-name",
			[`${VM}/image/dm-argv/002`]: "a b",
			"/local/domain/5/image/device-model-domid": "6",
			"/local/domain/6/target": "5",
			"/local/domain/5/hvmloader/bios": "seabios",
			"/local/domain/5/hvmloader/allow-memory-relocate": "0",
			"/local/domain/6/device-model/5": "",
		});
		expect(await dom0.permissions(`${VM}/image/dm-argv/001`)).toEqual(readableByStub);
	});

	it("gives a MiniOS one a single string, and lets it read the clock's offset, which stays", async () => {
		const { tree, dom0 } = await pairWith({ protocol: "minios", dmargs: " -d 5 -boot c" });
		expect(tree).toMatchObject({
			[`${VM}/image/dmargs`]: " -d 5 -boot c",
			[`${VM}/rtc/timeoffset`]: "3600",
			"/local/domain/5/image/device-model-domid": "6",
			"/local/domain/6/target": "5",
			"/local/domain/5/hvmloader/allow-memory-relocate": "1",
			"/local/domain/6/device-model/5": "",
		});
		// Only a Linux stub's guest is told its BIOS: the older device model has one.
		expect(tree["/local/domain/5/hvmloader/bios"]).toBeUndefined();
		expect(Object.keys(tree).filter((path) => path.includes("dm-argv"))).toEqual([]);
		for (const node of ["image/dmargs", "rtc/timeoffset"])
			expect(await dom0.permissions(`${VM}/${node}`)).toEqual(readableByStub);
	});
});
