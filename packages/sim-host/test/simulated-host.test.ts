import { DOM0, type DomId, evtchnPort, grantRef } from "@bulkhead/base";
import { ConsoleRing } from "@bulkhead/console";
import type { LoopDevice } from "@bulkhead/hypervisor";
import { QmpClient } from "@bulkhead/qmp";
import { openVchanClient } from "@bulkhead/vchan";
import { describe, expect, test } from "vitest";
import { HostWorld } from "./host-world.ts";

/** Domain 0's end of a boot console, taken by hand. */
function openConsole(world: HostWorld, domid: DomId, port: number): { text(): string; type(line: string): void } {
	const { rings } = world.toolstack;
	const mapped = rings.grants.map(domid, [grantRef(0)], { writable: true });
	const ring = new ConsoleRing(mapped.buffer);
	const channel = rings.evtchns.bindInterdomain(domid, evtchnPort(port), () => {});
	let text = "";
	return {
		text: () => {
			const pending = ring.pendingOutput();
			text += Buffer.from(ring.copyOutput(pending)).toString("latin1");
			ring.consumeOutput(pending);
			if (pending > 0) channel.notify();
			return text;
		},
		type: (line) => {
			ring.produceInput(Buffer.from(line));
			channel.notify();
		},
	};
}

/** What the toolstack writes for a disk of a domain, and the loop device that it holds meanwhile. */
async function writeDisk(world: HostWorld, domid: DomId): Promise<{ backend: string; loop: LoopDevice }> {
	const loop = await world.toolstack.hypervisor.loops.attach(world.images.disk, { readOnly: true });
	const frontend = `/local/domain/${domid}/device/vbd/51712`;
	const backend = `/local/domain/0/backend/vbd/${domid}/51712`;
	world.write(frontend, "", [{ domid, access: "none" }]);
	world.write(`${frontend}/backend`, backend);
	world.write(`${frontend}/backend-id`, "0");
	world.write(`${frontend}/state`, "1");
	world.simulated.xenstored.host.write(backend, "", [
		{ domid: DOM0, access: "none" },
		{ domid, access: "read" },
	]);
	world.write(`${backend}/frontend`, frontend);
	world.write(`${backend}/state`, "1");
	world.write(`${backend}/physical-device`, loop.physicalDevice);
	world.write(`${backend}/frontend-id`, `${domid}`);
	return { backend, loop };
}

describe("a scripted PV guest", () => {
	test("speaks on its console and answers", async () => {
		const world = await HostWorld.start();
		const { domid, consolePort } = await world.build(world.images.guestKernel);
		const console = openConsole(world, domid, consolePort);
		await world.toolstack.hypervisor.domains.unpause(domid);
		await world.eventually("the prompt", () => console.text().includes("# ") || undefined);
		console.type("echo ab\bc\r");
		await world.eventually("the answer", () => console.text().includes("\r\nac\r\n") || undefined);
		console.type("nonsense\r");
		await world.eventually("the complaint", () => console.text().includes("nonsense: not found") || undefined);
	});

	test("says that it listens for requests, acknowledges one, and obeys", async () => {
		const world = await HostWorld.start();
		const { domid } = await world.build(world.images.guestKernel);
		const { domains } = world.toolstack.hypervisor;
		const control = `/local/domain/${domid}/control`;
		world.write(`${control}/shutdown`, "", [{ domid, access: "none" }]);
		await domains.unpause(domid);
		await world.eventually("the feature", () => world.find(`${control}/feature-reboot`) === "1" || undefined);
		world.write(`${control}/shutdown`, "reboot");
		await world.eventually("the end", () => (world.simulated.host.find(domid)?.shutdownReason ? true : undefined));
		expect(await domains.find(domid)).toMatchObject({ shutdown: true, shutdownReason: "reboot" });
		expect(world.find(`${control}/shutdown`)).toBe("");
	});

	test("connects its disk; the backend lets go when its nodes are removed", async () => {
		const world = await HostWorld.start();
		const { domid } = await world.build(world.images.guestKernel);
		const { backend, loop } = await writeDisk(world, domid);
		await world.toolstack.hypervisor.domains.unpause(domid);
		await world.eventually("the connection", () => world.find(`${backend}/state`) === "4" || undefined);
		loop.release();
		// The backend has it open.
		expect(world.simulated.host.loops.attached).toHaveLength(1);
		expect(world.counts().blockBackends).toBe(1);
		world.simulated.xenstored.host.remove(backend);
		await world.eventually("the backend to go", () => world.counts().blockBackends === 0 || undefined);
		expect(world.simulated.host.loops.attached).toEqual([]);
	});

	test("leaves nothing when it is destroyed in the middle of everything", async () => {
		const world = await HostWorld.start();
		const { domid } = await world.build(world.images.guestKernel);
		const { loop } = await writeDisk(world, domid);
		await world.toolstack.hypervisor.domains.unpause(domid);
		loop.release();
		await world.toolstack.hypervisor.domains.destroy(domid);
		await world.eventually("everything to go", () => {
			const { domains, connections, blockBackends } = world.counts();
			return (domains === 1 && connections + blockBackends === 0) || undefined;
		});
		world.simulated.assertIdle();
	});
});

describe("a scripted stub domain", () => {
	async function pair() {
		const world = await HostWorld.start();
		const guest = (await world.build(world.images.guestKernel)).domid;
		const stub = (await world.build(world.images.stubKernel)).domid;
		world.write(`/local/domain/${guest}/vm`, "/vm/one");
		world.write("/vm/one/image/dm-argv", "", [{ domid: stub, access: "none" }]);
		world.write("/vm/one/image/dm-argv/001", "-xen-domid");
		world.write("/vm/one/image/dm-argv/002", `${guest}`);
		world.simulated.xenstored.host.write(`/local/domain/${guest}/vm`, "/vm/one", [
			{ domid: DOM0, access: "none" },
			{ domid: stub, access: "read" },
		]);
		world.write(`/local/domain/${stub}/target`, `${guest}`);
		const model = `/local/domain/${stub}/device-model/${guest}`;
		world.write(model, "", [{ domid: stub, access: "none" }]);
		return { world, guest, stub, model };
	}

	test("reads its arguments, says running, and its QEMU answers over a real vchan, one client after another", async () => {
		const { world, guest, stub, model } = await pair();
		const { domains } = world.toolstack.hypervisor;
		await domains.setTarget(stub, guest);
		await domains.unpause(stub);
		await world.eventually("QEMU", () => world.find(`${model}/state`) === "running" || undefined);
		expect(world.simulated.findQemu(guest)?.args).toEqual(["-xen-domid", `${guest}`]);
		const ref = await world.eventually("a channel", () => world.find(`${model}/qmp-vchan/ring-ref`));
		for (let client = 0; client < 3; client++) {
			const { grants, evtchns } = world.toolstack.rings;
			const remotePort = evtchnPort(world.find(`${model}/qmp-vchan/event-channel`) ?? "");
			const stream = openVchanClient({ grants, evtchns, domid: stub, ringRef: grantRef(ref), remotePort });
			const qmp = await QmpClient.open(stream, { greetingTimeoutMs: 1000, onEvent: () => {} });
			expect(await qmp.execute("query-status", undefined, { timeoutMs: 1000 })).toMatchObject({ running: true });
			qmp.close();
		}
	});

	test("may not serve a guest that Xen has not given it", async () => {
		const { world, stub, model } = await pair();
		await world.toolstack.hypervisor.domains.unpause(stub);
		await world.eventually("the refusal", () => world.find(`${model}/state`) === "error" || undefined);
		expect(world.find(`${model}/error`)).toContain("may not serve");
	});

	test("withdraws the channel and says why when its QEMU dies", async () => {
		const { world, guest, stub, model } = await pair();
		await world.toolstack.hypervisor.domains.setTarget(stub, guest);
		await world.toolstack.hypervisor.domains.unpause(stub);
		const qemu = await world.eventually("QEMU", () => {
			return world.find(`${model}/qmp-vchan/ring-ref`) === undefined ? undefined : world.simulated.findQemu(guest);
		});
		await qemu.die("killed by signal 9");
		expect(world.find(`${model}/state`)).toBe("error");
		expect(world.find(`${model}/error`)).toBe("killed by signal 9");
		expect(world.find(`${model}/qmp-vchan/ring-ref`)).toBeUndefined();
		expect(world.simulated.findQemu(guest)).toBeUndefined();
	});
});

describe("xenstored on a simulated host", () => {
	test("announces an end once when a domain shuts down, and forgets it when it is destroyed", async () => {
		const world = await HostWorld.start();
		const { domid } = await world.build(world.images.guestKernel);
		const { domains } = world.toolstack.hypervisor;
		expect(world.simulated.xenstored.counts.domains).toBe(2);
		await domains.shutdown(domid, "crash");
		expect(world.simulated.xenstored.counts.domains).toBe(2);
		await domains.destroy(domid);
		expect(world.simulated.xenstored.counts.domains).toBe(1);
	});
});
