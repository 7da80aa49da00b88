import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DOM0, type DomId, evtchnPort, grantRef, randomUuid } from "@bulkhead/base";
import { describe, expect, onTestFinished, test } from "vitest";
import { tinyPvKernel } from "../../src/contract/index.ts";
import { HypervisorError } from "../../src/errors.ts";
import type { BuiltImage } from "../../src/ports/guest-builder.ts";
import { SimHost, type SimHostOptions, type SimMachine, type SimProcess, VirtualClock } from "../../src/sim/index.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A host with one daemon on it, and a kernel to build from. */
async function world(options: SimHostOptions = {}) {
	const clock = new VirtualClock();
	const host = new SimHost({ clock, ...options });
	const daemon = host.startProcess("daemon");
	const directory = await mkdtemp(join(tmpdir(), "sim-host-"));
	onTestFinished(() => rm(directory, { recursive: true, force: true }));
	const kernel = join(directory, "kernel");
	await writeFile(kernel, tinyPvKernel("idle"));
	return { clock, host, daemon, kernel };
}

async function build(daemon: SimProcess, kernel: string): Promise<{ domid: DomId; consolePort: number } & BuiltImage> {
	const { domains, builder } = daemon.hypervisor;
	const domid = await domains.create({ uuid: randomUuid(), type: "pv", maxVcpus: 1 });
	await domains.setMaxVcpus(domid, 1);
	await domains.setMaxMemory(domid, 17 * 1024);
	const storePort = await domains.allocUnboundEvtchn(domid, DOM0);
	const consolePort = await domains.allocUnboundEvtchn(domid, DOM0);
	const request = { domid, maxVcpus: 1, storePort, consolePort, memoryKiB: 16 * 1024, kernel, commandLine: "" };
	return { domid, consolePort, ...(await builder.buildPv(request)) };
}

describe("SimHost", () => {
	test("assertIdle names every domain, mapping, event channel and loop device that is left", async () => {
		const { host, daemon, kernel } = await world();
		const { domid, consoleFrame } = await build(daemon, kernel);
		daemon.rings.grants.map(domid, [grantRef(0)]);
		daemon.rings.evtchns.bindUnbound(domid, () => {});
		await daemon.hypervisor.loops.attach(kernel, { readOnly: true });
		expect(() => host.assertIdle()).toThrow(/domain 1, .*grant 0 of domain 1.*event channel 1 to domain 1.*loop0 of/s);
		daemon.hypervisor.foreignMemory.map(domid, [consoleFrame]);
		daemon.end();
		expect(() => host.assertIdle()).toThrow(/^Not given back: domain 1$/);
		host.destroy(domid);
		host.assertIdle();
	});

	test("memory is given back when a domain has gone, and not before", async () => {
		const { host, daemon, kernel } = await world();
		const before = host.freeKiB;
		const { domid } = await build(daemon, kernel);
		expect(host.freeKiB).toBe(before - 16 * 1024);
		const mapped = daemon.rings.grants.map(domid, [grantRef(0)]);
		await daemon.hypervisor.domains.destroy(domid);
		expect(host.freeKiB).toBe(before - 16 * 1024);
		mapped.unmap();
		expect(host.freeKiB).toBe(before);
		expect(await daemon.hypervisor.domains.find(domid)).toBeUndefined();
	});

	test("more memory than the host has free is refused with ENOMEM", async () => {
		const { daemon, kernel } = await world({ memoryKiB: 20 * 1024, dom0KiB: 8 * 1024 });
		await expect(build(daemon, kernel)).rejects.toMatchObject({ errno: "ENOMEM" });
	});

	test("destruction takes its time on the host's clock", async () => {
		const { host, daemon, kernel, clock } = await world({ destroyMs: 500 });
		const { domid } = await build(daemon, kernel);
		await daemon.hypervisor.domains.destroy(domid);
		await clock.advance(499);
		expect((await daemon.hypervisor.domains.find(domid))?.dying).toBe(true);
		await clock.advance(1);
		expect(await daemon.hypervisor.domains.find(domid)).toBeUndefined();
		host.assertIdle();
	});

	test("an ending domain is announced when it shuts down, begins to die and vanishes", async () => {
		const { host, daemon, kernel } = await world();
		const { domid } = await build(daemon, kernel);
		let told = 0;
		host.onDomainEvent(() => told++);
		await daemon.hypervisor.domains.shutdown(domid, "crash");
		expect(told).toBe(1);
		const mapped = daemon.rings.grants.map(domid, [grantRef(1)]);
		await daemon.hypervisor.domains.destroy(domid);
		expect(told).toBe(2);
		mapped.unmap();
		expect(told).toBe(3);
	});

	test("domain numbers are not used again at once", async () => {
		const { daemon } = await world();
		const { domains } = daemon.hypervisor;
		const first = await domains.create({ uuid: randomUuid(), type: "pv", maxVcpus: 1 });
		await domains.destroy(first);
		expect(await domains.create({ uuid: randomUuid(), type: "pv", maxVcpus: 1 })).toBe(first + 1);
	});
});

describe("SimProcess", () => {
	test("however it ends, its peers are told, as the kernel does it", async () => {
		const { host, daemon, kernel } = await world();
		const { domid, consoleFrame } = await build(daemon, kernel);
		const victim = host.startProcess("victim");
		let told = 0;
		const ours = daemon.rings.evtchns.bindUnbound(DOM0, () => told++);
		const theirs = victim.rings.evtchns.bindInterdomain(DOM0, ours.port, () => {});
		const onUnmap = { clearByteOffset: 40, notifyPort: theirs.port };
		const page = victim.rings.grants.map(domid, [grantRef(0)], { writable: true, onUnmap });
		new Uint8Array(page.buffer).fill(0x77, 39, 42);
		victim.end();
		victim.end();
		await turn();
		expect(told).toBe(1);
		expect(page.buffer.byteLength).toBe(0);
		const seen = daemon.hypervisor.foreignMemory.map(domid, [consoleFrame]);
		expect([...new Uint8Array(seen.buffer, 39, 3)]).toEqual([0x77, 0, 0x77]);
		expect(() => victim.rings.evtchns.bindUnbound(DOM0, () => {})).toThrow(HypervisorError);
		await expect(victim.hypervisor.domains.list()).rejects.toMatchObject({ errno: "EBADF" });
	});

	test("the port that a dead process had bound can be bound by the next", async () => {
		const { host, daemon, kernel } = await world();
		const { domid, consolePort } = await build(daemon, kernel);
		const port = evtchnPort(consolePort);
		for (const name of ["one", "two"]) {
			const relay = host.startProcess(name);
			relay.rings.evtchns.bindInterdomain(domid, port, () => {});
			expect(() => daemon.rings.evtchns.bindInterdomain(domid, port, () => {})).toThrow(/EINVAL/);
			relay.end();
		}
	});

	test("a stub domain maps its guest and nobody else", async () => {
		const { host, daemon, kernel } = await world();
		const [guest, stub, other] = [
			await build(daemon, kernel),
			await build(daemon, kernel),
			await build(daemon, kernel),
		];
		await daemon.hypervisor.domains.setTarget(stub.domid, guest.domid);
		const { foreignMemory } = host.startProcess("qemu", stub.domid).hypervisor;
		foreignMemory.map(guest.domid, [guest.consoleFrame]);
		expect(() => foreignMemory.map(other.domid, [other.consoleFrame])).toThrow(/EPERM/);
		await daemon.hypervisor.domains.destroy(guest.domid);
		// The guest cannot vanish before its device model has let go of it.
		expect((await daemon.hypervisor.domains.find(guest.domid))?.dying).toBe(true);
		await daemon.hypervisor.domains.destroy(stub.domid);
		expect(await daemon.hypervisor.domains.find(guest.domid)).toBeUndefined();
	});

	test("pages that a domain offers are shared both ways until the last side lets go", async () => {
		const { host, daemon, kernel } = await world();
		const { domid } = await build(daemon, kernel);
		const { offers } = host.startProcess("server", domid);
		const offer = offers.offer(DOM0, 2);
		const theirs = new Uint8Array(offer.buffer);
		const mapped = daemon.rings.grants.map(domid, offer.refs, { writable: true });
		const ours = new Uint8Array(mapped.buffer);
		theirs[5000] = 7;
		expect(ours[5000]).toBe(7);
		offer.close();
		expect(offer.buffer.byteLength).toBe(0);
		expect(ours[5000]).toBe(7);
		expect(() => daemon.rings.grants.map(domid, offer.refs)).toThrow(HypervisorError);
		mapped.unmap();
		expect(ours.length).toBe(0);
	});
});

describe("a simulated guest", () => {
	async function withProgram(run: (machine: SimMachine) => void | Promise<void>) {
		const w = await world({ programs: [() => ({ name: "test", run })] });
		return { ...w, ...(await build(w.daemon, w.kernel)) };
	}

	test("takes no event and no alarm while it is paused", async () => {
		const seen: string[] = [];
		const { daemon, domid, consolePort, clock } = await withProgram(async (machine) => {
			machine.listen(evtchnPort(machine.image.consolePort), () => seen.push("event"));
			await machine.sleep(10);
			seen.push("alarm");
		});
		const { domains } = daemon.hypervisor;
		await domains.unpause(domid);
		await turn();
		await turn();
		await domains.pause(domid);
		const channel = daemon.rings.evtchns.bindInterdomain(domid, evtchnPort(consolePort), () => {});
		channel.notify();
		await clock.advance(20);
		await turn();
		expect(seen).toEqual([]);
		await domains.unpause(domid);
		await turn();
		await turn();
		expect(seen.toSorted()).toEqual(["alarm", "event"]);
	});

	test("that throws has crashed, and the hypervisor's console says why", async () => {
		const { daemon, domid } = await withProgram(() => {
			throw new RangeError("no root file system");
		});
		await daemon.hypervisor.domains.unpause(domid);
		await turn();
		await turn();
		expect(await daemon.hypervisor.domains.find(domid)).toMatchObject({ shutdown: true, shutdownReason: "crash" });
		expect(await daemon.hypervisor.domains.readConsoleRing()).toContain(`d${domid} crashed: no root file system`);
	});

	test("stops where it is when it is destroyed", async () => {
		let ended: unknown;
		const { host, daemon, domid, clock } = await withProgram(async (machine) => {
			machine.process.rings.evtchns.bindUnbound(DOM0, () => {});
			await machine.sleep(10).catch((error: unknown) => {
				ended = error;
			});
		});
		await daemon.hypervisor.domains.unpause(domid);
		await turn();
		await turn();
		await daemon.hypervisor.domains.destroy(domid);
		await turn();
		expect(ended).toMatchObject({ code: "cancelled" });
		expect(clock.pending).toBe(0);
		host.assertIdle();
	});

	test("whose kernel nobody knows says so on its console and idles", async () => {
		const { daemon, kernel, host } = await world();
		await writeFile(kernel, elfWithOtherCode());
		const { domid, consoleFrame } = await build(daemon, kernel);
		await daemon.hypervisor.domains.unpause(domid);
		await turn();
		await turn();
		const page = daemon.hypervisor.foreignMemory.map(domid, [consoleFrame]);
		expect(Buffer.from(page.buffer, 1024, 64).toString("latin1")).toContain("This host is simulated");
		expect(await daemon.hypervisor.domains.find(domid)).toMatchObject({ blocked: true, shutdown: false });
		page.unmap();
		host.destroy(domid);
		host.assertIdle();
	});
});

function elfWithOtherCode(): Uint8Array {
	const file = tinyPvKernel("idle");
	file[0x1000] = 0x90;
	return file;
}

describe("faults", () => {
	test("the n-th call of a name is refused with that errno, once", async () => {
		const { host, daemon } = await world();
		const { domains } = daemon.hypervisor;
		host.faults.inject({ call: "domains.hostInfo", nth: 2, errno: "ENOMEM", log: ["out of memory"] });
		await domains.hostInfo();
		expect(() => host.faults.assertSpent()).toThrow("domains.hostInfo");
		await expect(domains.hostInfo()).rejects.toMatchObject({ errno: "ENOMEM", log: ["out of memory"] });
		await domains.hostInfo();
		host.faults.assertSpent();
		expect(host.faults.count("domains.hostInfo")).toBe(3);
	});

	test("a refused call has done nothing", async () => {
		const { host, daemon, kernel } = await world();
		const { domid } = await build(daemon, kernel);
		host.faults.inject({ call: "grants.map", errno: "ENOSPC" });
		expect(() => daemon.rings.grants.map(domid, [grantRef(0)])).toThrow(HypervisorError);
		host.faults.inject({ call: "evtchns.bindUnbound", errno: "ENOSPC" });
		expect(() => daemon.rings.evtchns.bindUnbound(domid, () => {})).toThrow(HypervisorError);
		expect(host.heldCount).toBe(0);
	});

	test("a call is delayed on the host's clock", async () => {
		const { host, daemon, clock } = await world();
		host.faults.inject({ call: "domains.list", delayMs: 1000 });
		let done = false;
		const listed = daemon.hypervisor.domains.list().then(() => {
			done = true;
		});
		await clock.advance(999);
		expect(done).toBe(false);
		await clock.advance(1);
		await listed;
	});

	test("the process dies in a call, and the kernel cleans up behind it", async () => {
		const { host, daemon, kernel } = await world();
		const { domid } = await build(daemon, kernel);
		const relay = host.startProcess("relay");
		const page = relay.rings.grants.map(domid, [grantRef(0)]);
		host.faults.inject({ call: "evtchns.bindUnbound", kill: "process" });
		expect(() => relay.rings.evtchns.bindUnbound(domid, () => {})).toThrow(HypervisorError);
		expect(relay.isEnded).toBe(true);
		expect(page.buffer.byteLength).toBe(0);
		await daemon.hypervisor.domains.destroy(domid);
		host.assertIdle();
	});

	test("the domain dies in a call about it", async () => {
		const { host, daemon, kernel } = await world();
		const { domid } = await build(daemon, kernel);
		host.faults.inject({ call: "domains.unpause", kill: "domain" });
		await expect(daemon.hypervisor.domains.unpause(domid)).rejects.toMatchObject({ errno: "ESRCH" });
		host.assertIdle();
	});
});
