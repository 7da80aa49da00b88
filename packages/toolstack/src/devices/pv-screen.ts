import type { DomId } from "@bulkhead/base";
import type { XenstoreView } from "@bulkhead/xenstore";
import type { FrameBufferConfig } from "@bulkhead/xlcfg";
import type { PvScreen } from "../device-model/pv-screen.ts";
import { type NodeTree, writeNodes } from "../domain/node-tree.ts";
import { backendPath, backendsPath, frontendPath } from "../domain/paths.ts";
import { readableBy } from "../domain/permissions.ts";
import { frontend, XENBUS_STATE } from "./xenbus.ts";

type ScreenKind = "vfb" | "vkbd";

/** Both ends of a PV guest's frame buffers and keyboards (libxl: libxl__set_xenstore_vfb, libxl_vkb.c). */
export function writePvScreen(
	store: XenstoreView,
	domid: DomId,
	{ frameBuffers, keyboards }: PvScreen,
): Promise<unknown> {
	return Promise.all([
		writeAll(store, domid, "vfb", frameBuffers.map(frameBufferKeys)),
		writeAll(
			store,
			domid,
			"vkbd",
			keyboards.map(() => ({})),
		),
	]);
}

async function writeAll(
	store: XenstoreView,
	domid: DomId,
	kind: ScreenKind,
	keys: readonly Record<string, string | number>[],
): Promise<void> {
	if (keys.length === 0) return;
	const backends = keys.map((own, devid): [string, NodeTree] => [
		`${devid}`,
		{
			children: {
				frontend: frontendPath(domid, kind, devid),
				"frontend-id": domid,
				online: 1,
				...own,
				state: XENBUS_STATE.initialising,
			},
		},
	]);
	await Promise.all([
		writeNodes(store, backendsPath(domid, kind), {
			permissions: readableBy(domid),
			children: Object.fromEntries(backends),
		}),
		...keys.map((_, devid) => {
			const tree = frontend(domid, backendPath(domid, kind, devid), { state: XENBUS_STATE.initialising });
			return writeNodes(store, frontendPath(domid, kind, devid), tree, readableBy(domid));
		}),
	]);
}

/** For people who look: QEMU goes by its arguments. The password is not among them, since the guest reads this. */
function frameBufferKeys({ vnc, sdl }: FrameBufferConfig): Record<string, string | number> {
	return {
		vnc: Number(vnc !== undefined),
		...(vnc && { vnclisten: vnc.listen, vncdisplay: vnc.display, vncunused: Number(vnc.findUnused) }),
		sdl: Number(sdl !== undefined),
		opengl: Number(sdl?.opengl ?? false),
	};
}
