import { describe, expect, it } from "vitest";
import { cpusToAdd } from "../src/tune/hotplug-cpus.ts";

const cpu = (socket: number, plugged: boolean): object => ({
	type: "qemu32-i386-cpu",
	"vcpus-count": 1,
	props: { "socket-id": socket, "core-id": 0, "thread-id": 0 },
	...(plugged && { "qom-path": `/machine/unattached/device[${socket}]` }),
});

describe("cpusToAdd", () => {
	it("fills the lowest places first, whatever QEMU's order", () => {
		const answer = [cpu(3, false), cpu(2, false), cpu(1, false), cpu(0, true)];
		expect(cpusToAdd(answer, 3)).toEqual({
			present: 1,
			add: [1, 2].map((socket) => ({
				driver: "qemu32-i386-cpu",
				id: `cpu-${socket}`,
				"socket-id": socket,
				"core-id": 0,
				"thread-id": 0,
			})),
		});
		expect(cpusToAdd(answer, 1)).toEqual({ present: 1, add: [] });
	});

	it.each([
		undefined,
		{},
		[{ type: "virtio-blk", props: {} }],
		[{ type: "a-cpu", props: { bus: 1 } }],
		Array.from({ length: 513 }, () => cpu(0, true)),
	])("refuses what QEMU would not say (%#)", (answer) => {
		expect(() => cpusToAdd(answer, 2)).toThrow("cannot be understood");
	});
});
