import type { ToolstackContext } from "../context.ts";
import { configureLocalQemu } from "../device-model/dom0/configure-qemu.ts";
import {
	announceLocalQemu,
	awaitLocalQemu,
	qmpSocketOf,
	removeLocalQemu,
	startLocalQemu,
} from "../device-model/dom0/local-qemu.ts";
import type { StepActions } from "../executor.ts";
import type { CreateStep } from "../steps.ts";

const QUICK_MS = 20_000;
const START_MS = 120_000;
const QMP_MS = 20_000;

type LocalQemuStep = Extract<
	CreateStep,
	{ name: "announce-qemu" | "start-qemu" | "await-qemu" | "connect-qmp-socket" | "configure-qemu" }
>;

/** How a QEMU in domain 0 comes to a guest, and goes. */
export const localQemuActions: StepActions<LocalQemuStep, ToolstackContext> = {
	"announce-qemu": {
		title: () => "Writing what QEMU reads",
		timeoutMs: QUICK_MS,
		run: (_, context) => announceLocalQemu(context),
		undo: (_, context) => removeLocalQemu(context),
	},

	"start-qemu": {
		title: () => "Starting QEMU in domain 0",
		timeoutMs: QUICK_MS,
		run: ({ binary }, context) => startLocalQemu(context, binary),
		undo: (_, context) => removeLocalQemu(context),
	},

	"await-qemu": {
		title: () => "Waiting for QEMU in domain 0",
		timeoutMs: START_MS,
		run: ({ timeoutMs }, context, signal) => awaitLocalQemu(context, { timeoutMs, signal }),
	},

	"connect-qmp-socket": {
		title: () => "Talking to QEMU over its socket",
		timeoutMs: 2 * QMP_MS,
		async run(_, { rings, config, places }) {
			const path = qmpSocketOf(places.qemuFolder);
			await rings.attachQmpSocket({ guest: config.uuid, path, timeoutMs: QMP_MS });
		},
		undo: (_, { rings, config }) => rings.release(config.uuid, { purge: true }),
	},

	"configure-qemu": {
		title: () => "Asking QEMU for its ports",
		timeoutMs: 2 * QMP_MS,
		run: (_, context) => configureLocalQemu(context),
	},
};
