import { rm } from "node:fs/promises";
import type { ToolstackContext } from "../context.ts";
import { NO_SCREEN, pvScreenOf } from "../device-model/pv-screen.ts";
import { closeBootFile, openBootFile } from "../devices/boot-file.ts";
import { connectDisk } from "../devices/connect-disk.ts";
import { connectNics, connectTaps, disconnectNics } from "../devices/nics.ts";
import { closeDisk, type HeldDisk, openDisk } from "../devices/open-disk.ts";
import { writeDevices } from "../devices/publish.ts";
import { removeForeignDevices } from "../devices/record.ts";
import { nicsOf } from "../devices/vif.ts";
import { removeBackends } from "../domain/remove-nodes.ts";
import type { StepActions } from "../executor.ts";
import { removePvDisk } from "../hotplug/pv-disk.ts";
import { domidOf, provided, runtimeOf } from "../runtime.ts";
import type { CreateStep } from "../steps.ts";

const QUICK_MS = 20_000;
/** An image server that is started, connected, and has to be ended again. */
const IMAGE_MS = 60_000;
/** Copying a ramdisk. */
const COPY_MS = 120_000;
/** The driver, then a script with its own 40 s. */
const DISKS_MS = 70_000;
/** The driver, the interface, then a script with its own 40 s. */
const NICS_MS = 90_000;

type DeviceStep = Extract<
	CreateStep,
	{ name: "open-disk" | "open-boot-file" | "publish-devices" | "connect-disks" | "connect-nics" | "connect-taps" }
>;

export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** How a guest and its stub domain come to their disks and nics. */
export const deviceActions: StepActions<DeviceStep, ToolstackContext> = {
	"open-disk": {
		title: ({ disk }) => `Opening disk ${disk.vdev}`,
		timeoutMs: IMAGE_MS,
		run: ({ disk }, context) => openDisk(context, disk),
		undo: ({ disk }, context) => closeDisk(context, disk),
	},

	"open-boot-file": {
		title: ({ file }) => `Preparing the guest's ${file.role} for the stub domain`,
		timeoutMs: COPY_MS,
		run: ({ file }, context) => openBootFile(context, file),
		undo: async ({ file }, context) => {
			await closeBootFile(context, file);
			await rm(context.places.bootFolder, { recursive: true, force: true });
		},
	},

	"publish-devices": {
		title: ({ disks, nics, consoles }) =>
			`Attaching ${[counted(disks.length, "disk"), ...(nics.length > 0 ? [counted(nics.length, "nic")] : [])].join(", ")} and ${counted(consoles.length, "console")}`,
		timeoutMs: QUICK_MS,
		async run({ roles, disks, bootDisks, nics, consoles }, { config, runtime, xenstore, openDisks }) {
			const opened = (vdev: string): HeldDisk => provided(openDisks.get(vdev), `open disk ${vdev}`);
			const both = disks.map(({ vdev }) => opened(vdev));
			const devices = roles.map((role) => ({
				domain: runtimeOf(runtime, role),
				disks: role === "stub" ? [...both, ...bootDisks.map(opened)] : both,
				nics: nicsOf(role, nics),
				consoles: consoles.filter((console) => console.role === role).map(({ index }) => index),
				screen: role === "guest" ? pvScreenOf(config) : NO_SCREEN,
			}));
			await xenstore.transaction((tx) => Promise.all(devices.map((each) => writeDevices(tx, each))));
		},
		async undo({ roles }, { runtime, xenstore }) {
			await Promise.all(
				roles.flatMap((role) => {
					const domid = domidOf(runtime, role);
					return [removeBackends(xenstore, domid), removeForeignDevices(xenstore, domid)];
				}),
			);
		},
	},

	"connect-disks": {
		title: ({ disks }) => `Waiting for ${counted(disks.length, "disk")} to be set up`,
		timeoutMs: DISKS_MS,
		async run({ roles, disks }, context, signal) {
			const { runtime } = context;
			await Promise.all(
				roles.flatMap((role) => disks.map((disk) => connectDisk(context, domidOf(runtime, role), disk, signal))),
			);
		},
		async undo({ roles, disks }, context) {
			await Promise.all(
				roles.flatMap((role) => disks.map((disk) => removePvDisk(context, role, disk, { mode: "force" }))),
			);
		},
	},

	"connect-nics": {
		title: ({ nics }) => `Setting up ${counted(nics.length, "nic")}`,
		timeoutMs: NICS_MS,
		async run({ roles, nics }, context, signal) {
			await Promise.all(
				roles.map((role) => connectNics(context, domidOf(context.runtime, role), nicsOf(role, nics), signal)),
			);
		},
		async undo({ roles, nics }, context) {
			await Promise.all(
				roles.map((role) => disconnectNics(context, domidOf(context.runtime, role), nicsOf(role, nics))),
			);
		},
	},

	"connect-taps": {
		title: ({ nics }) => `Setting up the taps of ${counted(nics.length, "nic")}`,
		timeoutMs: NICS_MS,
		run: ({ nics }, context, signal) => connectTaps(context, domidOf(context.runtime, "guest"), nics, signal),
	},
};
