import { describe, expect, it } from "vitest";
import { ServedWorld } from "./served-world.ts";
import { until } from "./until.ts";

function pathOf(world: ServedWorld): string {
	if (world.console.ptyPath === undefined) throw new Error("No pty");
	return world.console.ptyPath;
}

describe("PtyTerminal", () => {
	it("writes nothing while nobody has it open, then everything since it was made", async () => {
		const world = await ServedWorld.start({ pty: true });
		world.frontend.write(Buffer.from("boot messages\r\n"));
		await until("recorded", () => world.frontend.backlog === 0 && world.console.backend.journal.end === 15);
		const slave = world.host.devices.openSlave(pathOf(world));
		let output = "";
		await until("boot messages", () => {
			output += Buffer.from(slave.read()).toString();
			return output === "boot messages\r\n";
		});
		slave.write(Buffer.from("root\r"));
		await until("input", () => Buffer.from(world.frontend.received).toString() === "root\r");
		slave.close();
		await until("nobody", () => world.console.backend.readers === 0);
		world.frontend.write(Buffer.from("meanwhile"));
		await until("recorded", () => world.console.backend.journal.end === 24);
		const again = world.host.devices.openSlave(pathOf(world));
		await until("what was missed", () => Buffer.from(again.read()).toString() === "meanwhile");
		again.close();
		await until("nobody", () => world.console.backend.readers === 0);
	});

	it("loses nothing when the slave is read slowly", async () => {
		const world = await ServedWorld.start({ pty: true, segmentBytes: 4096 });
		const slave = world.host.devices.openSlave(pathOf(world));
		await until("present", () => world.console.backend.readers === 1);
		const all = Buffer.alloc(100_000, "0123456789abc");
		world.frontend.write(all);
		await until("the guest waits", () => world.console.backend.blocked);
		const parts: Uint8Array[] = [];
		await until("everything", () => {
			parts.push(slave.read());
			return Buffer.concat(parts).length === all.length;
		});
		expect(Buffer.concat(parts).equals(all)).toBe(true);
		slave.close();
	});

	it("stops reading while the guest takes no input, and loses none of it", async () => {
		const world = await ServedWorld.start({ pty: true });
		world.frontend.takesInput = false;
		const slave = world.host.devices.openSlave(pathOf(world));
		await until("present", () => world.console.backend.readers === 1);
		const typed = Buffer.alloc(60_000, "keys");
		slave.write(typed);
		await until("no more room", () => !world.console.backend.input.hasRoom);
		world.frontend.takesInput = true;
		world.frontend.takeInput();
		await until("everything typed", () => world.frontend.received.length === typed.length);
		expect(typed.equals(world.frontend.received)).toBe(true);
		slave.close();
	});

	it("delivers what was typed just before the slave was closed", async () => {
		const world = await ServedWorld.start({ pty: true });
		const slave = world.host.devices.openSlave(pathOf(world));
		await until("present", () => world.console.backend.readers === 1);
		slave.write(Buffer.from("reboot\n"));
		slave.close();
		await until("typed", () => Buffer.from(world.frontend.received).toString() === "reboot\n");
	});

	it("gives the last words before it hangs up", async () => {
		const world = await ServedWorld.start({ pty: true });
		const slave = world.host.devices.openSlave(pathOf(world));
		await until("present", () => world.console.backend.readers === 1);
		world.frontend.write(Buffer.from("power down"));
		const closed = world.console.close("detached");
		await until("the last words", () => Buffer.from(slave.read()).toString() === "power down");
		await closed;
		world.host.devices.assertIdle();
	});
});
