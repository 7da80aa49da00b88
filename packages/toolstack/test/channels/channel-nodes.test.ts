import { domId } from "@bulkhead/base";
import { XenstoreClient } from "@bulkhead/xenstore";
import { XenstoreServer } from "@bulkhead/xenstore/server";
import { expect, it, onTestFinished } from "vitest";
import { writeChannels } from "../../src/channels/channel-nodes.ts";
import { freeDevid, numberedChannels, placeChannels } from "../../src/channels/place-channels.ts";

const GUEST = domId(5);
const channel = { name: "org.example.agent.v1", connection: "tls:example.org:443?ca=/etc/ca.pem" };

it("a guest can say that it is there, and change nothing else of its channel", async () => {
	const server = new XenstoreServer();
	server.introduceDomain(GUEST);
	server.host.write(`/local/domain/${GUEST}/device`, "", [
		{ domid: domId(0), access: "none" },
		{ domid: GUEST, access: "read" },
	]);
	const dom0 = XenstoreClient.over(server.connectClient());
	const guest = XenstoreClient.over(server.connectDomain(GUEST));
	onTestFinished(async () => {
		guest.close();
		dom0.close();
		await server.close();
	});
	await dom0.transaction((tx) => writeChannels(tx, GUEST, [{ channel, devid: 1 }]));
	const frontend = "device/console/1";
	for (const key of ["name", "output", "type", "tty", "limit", "backend", "backend-id"])
		await expect(guest.write(`${frontend}/${key}`, "mine"), key).rejects.toMatchObject({ errno: "EACCES" });
	expect(await guest.find(`${frontend}/name`)).toBe(channel.name);
	for (const key of ["state", "ring-ref", "port"]) await guest.write(`${frontend}/${key}`, "3");
	await expect(guest.write("device/console/2/state", "1")).rejects.toMatchObject({ errno: "EACCES" });
	const backend = `/local/domain/0/backend/console/${GUEST}/1`;
	await expect(guest.write(`${backend}/state`, "4")).rejects.toMatchObject({ errno: "EACCES" });
	// Keys and certificates are nobody's business; xl knows two kinds.
	expect(await dom0.find(`${backend}/connection`)).toBe("socket");
	expect(await dom0.find(`${backend}/path`)).toBe("tls:example.org:443");
	await expect(guest.find(`/libxl/${GUEST}/device/console/1/name`)).rejects.toMatchObject({ errno: "EACCES" });
});

it("numbers begin at 1 at a start, and gaps are filled while the guest runs", () => {
	const placed = placeChannels([
		{ ...channel, name: "a" },
		{ ...channel, name: "b" },
	]);
	expect(placed).toEqual([
		{ name: "a", devid: 1 },
		{ name: "b", devid: 2 },
	]);
	expect(freeDevid(placed)).toBe(3);
	expect(freeDevid(placed.slice(1))).toBe(1);
	const guest = { uuid: "11111111-2222-3333-4444-555555555555" as never };
	expect(numberedChannels([channel], { guest, channels: placed })).toEqual([]);
});
