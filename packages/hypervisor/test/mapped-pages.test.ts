import { domId, evtchnPort, grantRef } from "@bulkhead/base";
import { beforeEach, describe, expect, test } from "vitest";
import { HypervisorError } from "../src/errors.ts";
import { NativeForeignMemory } from "../src/native/foreign-memory.ts";
import { NativeGrantMaps } from "../src/native/grant-maps.ts";
import { FakeMapper, fakeRingsAddon } from "./fake-rings-addon.ts";

let grants: NativeGrantMaps;
let device: FakeMapper;
beforeEach(() => {
	grants = new NativeGrantMaps(fakeRingsAddon);
	device = FakeMapper.last as FakeMapper;
});

describe("NativeGrantMaps", () => {
	test("maps for reading unless told otherwise", () => {
		grants.map(domId(4), [grantRef(1), grantRef(2)]);
		grants.map(domId(4), [grantRef(1)], { writable: true });
		expect(device.calls).toEqual([
			[4, [1, 2], false, undefined, undefined],
			[4, [1], true, undefined, undefined],
		]);
	});

	test("passes an unmap notification on", () => {
		grants.map(domId(4), [grantRef(1)], { onUnmap: { clearByteOffset: 20, notifyPort: evtchnPort(6) } });
		expect(device.calls).toEqual([[4, [1], false, 20, 6]]);
	});

	test("unmaps once, however often it is asked", () => {
		const mapped = grants.map(domId(4), [grantRef(1)]);
		mapped.unmap();
		expect(device.live.size).toBe(0);
		expect(() => mapped.unmap()).not.toThrow();
	});

	test("says so when the buffer was moved away", () => {
		const mapped = grants.map(domId(4), [grantRef(1)]);
		device.live.clear();
		expect(() => mapped.unmap()).toThrow(HypervisorError);
	});

	test("a mapping cannot be transferred", () => {
		const { buffer } = grants.map(domId(4), [grantRef(1)]);
		try {
			structuredClone(buffer, { transfer: [buffer] });
		} catch (error) {
			// Node 20 copies instead of throwing.
			expect(error).toMatchObject({ name: "DataCloneError" });
		}
		expect(buffer.byteLength).toBe(4096);
	});

	test("close unmaps what is left, then the device closes, once", () => {
		const left = grants.map(domId(4), [grantRef(1)]);
		grants.close();
		grants.close();
		expect(device).toMatchObject({ closed: true });
		expect(device.live.size).toBe(0);
		expect(() => left.unmap()).not.toThrow();
	});
});

describe("NativeForeignMemory", () => {
	test("maps frames and unmaps them at close", () => {
		const memory = new NativeForeignMemory(fakeRingsAddon);
		const mapper = FakeMapper.last as FakeMapper;
		memory.map(domId(2), [0x9f], { writable: true });
		expect(mapper.calls).toEqual([[2, [0x9f], true]]);
		memory.close();
		expect(mapper.live.size).toBe(0);
	});
});
