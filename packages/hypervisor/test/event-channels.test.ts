import { DOM0, domId, evtchnPort } from "@bulkhead/base";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { HypervisorError } from "../src/errors.ts";
import { NativeEventChannels } from "../src/native/event-channels.ts";
import { FakeEvtchn, fakeRingsAddon } from "./fake-rings-addon.ts";

let evtchns: NativeEventChannels;
let device: FakeEvtchn;
beforeEach(() => {
	evtchns = new NativeEventChannels(fakeRingsAddon);
	device = FakeEvtchn.last as FakeEvtchn;
});

describe("NativeEventChannels", () => {
	test("an event goes to its port's handler only", () => {
		const first = vi.fn();
		const second = vi.fn();
		evtchns.bindUnbound(DOM0, first);
		const { port } = evtchns.bindInterdomain(domId(3), evtchnPort(9), second);
		device.fire(port);
		expect(first).not.toHaveBeenCalled();
		expect(second).toHaveBeenCalledTimes(1);
	});

	test("an event for a port that nobody has is ignored", () => {
		expect(() => device.fire(77)).not.toThrow();
	});

	test("a closed channel is silent, unbound once, and refuses to notify", () => {
		const onEvent = vi.fn();
		const channel = evtchns.bindUnbound(DOM0, onEvent);
		channel.notify();
		channel.close();
		channel.close();
		device.fire(channel.port);
		expect(onEvent).not.toHaveBeenCalled();
		expect(device.bound.size).toBe(0);
		expect(() => channel.notify()).toThrow(HypervisorError);
		expect(device.notified).toEqual([channel.port]);
	});

	test("a port is unmasked before its handler runs, which may be called again at once", () => {
		let calls = 0;
		const { port } = evtchns.bindUnbound(DOM0, () => {
			if (++calls === 1) device.fire(port);
		});
		device.fire(port);
		expect(calls).toBe(2);
		expect(device.masked.size).toBe(0);
	});

	test("an event of a paused channel keeps its port masked until it is resumed", () => {
		const onEvent = vi.fn();
		const channel = evtchns.bindUnbound(DOM0, onEvent);
		channel.pause();
		expect(channel.resume()).toBe(false);
		channel.pause();
		device.fire(channel.port);
		expect(device.masked.has(channel.port)).toBe(true);
		expect(channel.resume()).toBe(true);
		expect(channel.resume()).toBe(false);
		expect(device.masked.size).toBe(0);
		expect(onEvent).not.toHaveBeenCalled();
		device.fire(channel.port);
		expect(onEvent).toHaveBeenCalledTimes(1);
		channel.pause();
		device.fire(channel.port);
		channel.close();
		expect(channel.resume()).toBe(true);
	});

	test("the process is kept alive while a channel is bound", () => {
		expect(device.alive).toBe(false);
		const first = evtchns.bindUnbound(DOM0, () => {});
		const second = evtchns.bindUnbound(DOM0, () => {});
		first.close();
		expect(device.alive).toBe(true);
		second.close();
		expect(device.alive).toBe(false);
	});

	test("closing the set silences every channel; closing them afterwards does nothing", () => {
		const onEvent = vi.fn();
		const channel = evtchns.bindUnbound(DOM0, onEvent);
		evtchns.close();
		evtchns.close();
		channel.close();
		device.fire(channel.port);
		expect(onEvent).not.toHaveBeenCalled();
		expect(device.closed).toBe(true);
		expect(() => channel.notify()).toThrow(HypervisorError);
	});
});
