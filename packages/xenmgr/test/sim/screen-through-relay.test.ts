import { connectScreen, RfbClient } from "@bulkhead/screen";
import { expect, test } from "vitest";
import { createWebSocketStream } from "ws";
import { dialStream, enter, pay } from "./screen-client.ts";
import { SimWorld } from "./sim-world.ts";

const WAIT = { timeoutMs: 8000 };

test("a browser's WebSocket goes through the relay to the stub domain's screen, and again after a reboot", async () => {
	const world = await SimWorld.start({ browsers: { address: { host: "127.0.0.1", port: 0, isLoopback: true } } });
	const { domid } = await world.create(world.hvm("web"));
	const { socketPath } = await world.client.screen("web");
	const direct = await connectScreen({ path: socketPath, ...WAIT });
	const frame = await direct.readFrame(WAIT);
	direct.close();
	const { url } = await world.client.inviteToScreen("web");
	let admission = await enter(url);
	const first = await RfbClient.open(createWebSocketStream(dialStream(url, admission)), WAIT);
	expect(Buffer.compare((await first.readFrame(WAIT)).rgb, frame.rgb)).toBe(0);
	await world.client.reboot("web");
	await world.eventually("the next domain", async () => (await world.find("web"))?.domid !== domid || undefined);
	await world.eventually("the screen again", async () => {
		admission = JSON.parse((await pay(url, admission.secret)).text);
		const again = await RfbClient.open(createWebSocketStream(dialStream(url, admission)), WAIT).catch(() => undefined);
		return again && (await again.readFrame(WAIT)).width === frame.width ? true : undefined;
	});
});
