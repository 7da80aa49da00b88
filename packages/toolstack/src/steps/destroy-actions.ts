import { closeListeners } from "../channels/channel-listener.ts";
import type { ToolstackContext } from "../context.ts";
import { removeLocalQemu } from "../device-model/dom0/local-qemu.ts";
import { flushDisks } from "../device-model/flush.ts";
import { closeBootFiles } from "../devices/boot-file.ts";
import { detachNic, disconnectNics } from "../devices/nics.ts";
import { closeDisk, closeImages } from "../devices/open-disk.ts";
import { removeForeignDevices } from "../devices/record.ts";
import { nicsOf } from "../devices/vif.ts";
import { awaitDomainGone } from "../domain/await-end.ts";
import { awaitDriversGone, removeDriverErrors } from "../domain/driver-traces.ts";
import { removeNodes } from "../domain/remove-nodes.ts";
import type { StepActions } from "../executor.ts";
import { removePvDisk } from "../hotplug/pv-disk.ts";
import { releasePci } from "../pci/attach-pci.ts";
import { domidOf, runtimeOf } from "../runtime.ts";
import { closeScreenListener } from "../screen/screen-listener.ts";
import type { DestroyStep, Role } from "../steps.ts";

const QUICK_MS = 20_000;
/** Xen scrubs a dying domain's memory: libxl gives backends 10 s, big guests need longer. */
const DESTROY_MS = 120_000;
/** What image servers hold is written out: side by side, each with a time limit of its own. */
const DISKS_MS = 60_000;
const GONE_MS = 30_000;
/** Each has 40 s, and they run side by side. */
const SCRIPTS_MS = 60_000;

const nameOf = (role: Role): string => (role === "guest" ? "the guest" : "the stub domain");

/** How each step of a destroy plan is done. None is undone: what is taken away stays away. */
export const destroyActions: StepActions<DestroyStep, ToolstackContext> = {
	"flush-disks": {
		title: () => "Having QEMU write out what it holds",
		timeoutMs: QUICK_MS,
		async run(_, context) {
			await flushDisks(context);
		},
	},
	"forget-relay": {
		title: () => "Letting go of consoles, screen and QMP",
		timeoutMs: QUICK_MS,
		run: ({ purge }, { rings, config }) => rings.release(config.uuid, { purge }),
	},
	"stop-qemu": {
		title: () => "Ending QEMU",
		timeoutMs: 2 * QUICK_MS,
		run: (_, context) => removeLocalQemu(context),
	},
	"destroy-domain": {
		title: ({ role }) => `Destroying ${nameOf(role)}`,
		timeoutMs: DESTROY_MS,
		async run({ role }, { runtime, hypervisor }) {
			const { domid } = runtimeOf(runtime, role);
			if (domid !== undefined) await hypervisor.domains.destroy(domid);
		},
	},
	"remove-devices": {
		title: ({ role }) => `Taking ${nameOf(role)}'s devices from their backends`,
		timeoutMs: SCRIPTS_MS,
		async run({ role }, context) {
			const { domid } = runtimeOf(context.runtime, role);
			if (domid === undefined) return;
			const scripted = context.config.disks.filter(
				({ script, backend }) => script !== undefined && backend === undefined,
			);
			await Promise.all([
				...scripted.map((disk) => removePvDisk(context, role, disk, { mode: "force" })),
				removeForeignDevices(context.xenstore, domid),
			]);
		},
	},
	"disconnect-nics": {
		title: ({ role }) => `Running the network scripts of ${nameOf(role)}`,
		timeoutMs: SCRIPTS_MS,
		async run({ role }, context) {
			const { domid } = runtimeOf(context.runtime, role);
			if (domid !== undefined) await disconnectNics(context, domid, nicsOf(role, context.config.nics));
		},
	},
	"remove-nodes": {
		title: ({ role }) => `Removing the xenstore nodes of ${nameOf(role)}`,
		timeoutMs: QUICK_MS,
		async run({ role }, { runtime, xenstore }) {
			const { uuid, domid } = runtimeOf(runtime, role);
			await removeNodes(xenstore, uuid, domid);
		},
	},
	"await-gone": {
		title: ({ role }) => `Waiting until Xen and drivers have let go of ${nameOf(role)}`,
		timeoutMs: 2 * GONE_MS + QUICK_MS,
		async run({ role }, { runtime, hypervisor, xenstore }) {
			const { domid } = runtimeOf(runtime, role);
			if (domid === undefined) return;
			await awaitDomainGone({ hypervisor }, domid, GONE_MS);
			await awaitDriversGone(domid, GONE_MS);
			await removeDriverErrors(xenstore, domid);
		},
	},
	"release-pci": {
		title: () => "Taking PCI devices back",
		timeoutMs: QUICK_MS,
		run: (_, context) => releasePci(context),
	},
	"close-channels": {
		title: () => "Removing the sockets of channels",
		timeoutMs: QUICK_MS,
		run: (_, context) => closeListeners(context),
	},
	"close-screen": {
		title: () => "Closing the screen's port",
		timeoutMs: QUICK_MS,
		run: async (_, context) => closeScreenListener(context),
	},
	"strip-guest": {
		title: () => "Taking disks and nics from the guest",
		timeoutMs: SCRIPTS_MS,
		async run(_, context) {
			const domid = domidOf(context.runtime, "guest");
			const { disks, nics } = context.config;
			await Promise.all([
				...disks.map((disk) => removePvDisk(context, "guest", disk, { mode: "force" })),
				...nics.map((nic) => detachNic(context, domid, nic, { force: true })),
			]);
		},
	},
	"release-disks": {
		title: () => "Releasing disks",
		timeoutMs: DISKS_MS,
		async run(_, context) {
			await Promise.all(context.config.disks.map((disk) => closeDisk(context, disk)));
			await closeImages(context);
			await closeBootFiles(context);
		},
	},
};
