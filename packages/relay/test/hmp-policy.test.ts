import { describe, expect, it } from "vitest";
import { checkHmp, isLooking } from "../src/qmp/hmp-policy.ts";
import { allowMore, checkCommand, DEFAULT_QMP_POLICY } from "../src/qmp/qmp-policy.ts";

const line = (text: unknown, more: object = {}): Record<string, unknown> => ({ "command-line": text, ...more });
const refused = expect.objectContaining({ code: "hmp-command-refused" });

describe("the monitor for people", () => {
	it.each(["info status", "info block", "info qtree", "info block-jobs", "info mtree -f", "info network", "info vnc"])(
		"shows %s to all who may read",
		(text) => {
			for (const mayAct of [false, true]) expect(() => checkHmp(line(text), { mayAct })).not.toThrow();
			expect(isLooking(text)).toBe(true);
		},
	);

	it.each(["sendkey ctrl-alt-delete", "sendkey 0x1c 100", "stop", "cont", "nmi", "system_reset", "mouse_move 1 -1"])(
		"does %s for who may act alone",
		(text) => {
			expect(() => checkHmp(line(text), { mayAct: true })).not.toThrow();
			expect(() => checkHmp(line(text), { mayAct: false })).toThrow(refused);
			expect(isLooking(text)).toBe(false);
		},
	);

	it.each<[unknown, object?]>([
		...[["info"], ["info "], ["info registers"], ["info snapshots"], ["info skeys 0"], ["info constructor"]],
		...[
			["info  status"],
			[" info status"],
			["info status\nquit"],
			["info status;quit"],
			["info status\0"],
			["i status"],
		],
		...[
			["screendump /etc/x"],
			["pmemsave 0 1 /x"],
			["memsave 0 1 x"],
			["xp /8xb 0"],
			["x /8xb 0"],
			["p $pc"],
			["quit"],
		],
		...[
			["drive_add 0 file=/x"],
			["change vnc"],
			["migrate exec:id"],
			["chardev-add file"],
			["object_add x"],
			["log all"],
		],
		...[
			["device_add usb-host"],
			["savevm x"],
			["commit all"],
			["gdbserver"],
			["wavcapture /x"],
			["nbd_server_start x"],
		],
		...[["INFO status"], [""], [undefined], [7], [["info status"]], [`info status ${"x".repeat(300)}`], ["help"]],
		["info status", { extra: 1 }],
	] as [unknown, object?][])("refuses %j", (text, more) => {
		expect(() => checkHmp(line(text, more), { mayAct: true })).toThrow(refused);
	});

	it("takes the processor whose states are asked for", () => {
		expect(() => checkHmp(line("info lapic", { "cpu-index": 1 }), { mayAct: false })).not.toThrow();
	});

	it("is opened wholly to operators by the relay's option, and to nobody else", () => {
		const args = line("savevm x");
		const policy = allowMore(DEFAULT_QMP_POLICY, ["human-monitor-command"]);
		const say = (role: "toolstack" | "operator" | "reader" | "monitor") => () =>
			checkCommand(policy, { role, command: "human-monitor-command", args });
		for (const role of ["toolstack", "operator"] as const) expect(say(role)).not.toThrow();
		expect(say("reader")).toThrow(refused);
		expect(say("monitor")).toThrow(expect.objectContaining({ code: "qmp-command-refused" }));
		expect(() =>
			checkCommand(DEFAULT_QMP_POLICY, { role: "toolstack", command: "human-monitor-command", args }),
		).toThrow(refused);
	});
});
