import { InvalidInputError } from "@bulkhead/base";
import type { GuestConfig, VncConfig } from "@bulkhead/xlcfg";
import { requireWord } from "./option-text.ts";

const LISTEN = /^[A-Za-z0-9.:[\]_-]+$/;
const KEYMAP = /^[a-z]{1,8}(?:[-_][A-Za-z0-9]{1,8})?$/;

/**
 * Where a stub domain's QEMU serves its screen: the one path that the stub's init connects to, whatever else the
 * arguments say. Viewers do not put each other out.
 */
const STUB_SCREEN = "unix:/run/bulkhead-screen.sock,share=force-shared";

/** VNC, SDL and the keyboard layout of a QEMU in domain 0. */
export function screenArgs({ vnc, sdl, keymap }: Pick<GuestConfig, "vnc" | "sdl" | "keymap">): string[] {
	return [
		...["-vnc", vnc ? vncAddress(vnc) : "none"],
		...["-display", "none"],
		...(sdl ? ["-display", "sdl"] : []),
		...keymapArgs(keymap),
	];
}

/** A stub domain's screen goes by its vchans, with `vnc` and without; passwords and TLS are the relay's. */
export function stubScreenArgs(config: GuestConfig): string[] {
	return [
		...(hasStubScreen(config) ? ["-vnc", STUB_SCREEN] : []),
		...["-display", "none"],
		...keymapArgs(config.keymap),
	];
}

/** Whether the guest's QEMU is in a Linux stub domain. */
export const hasStubQemu = ({ type, deviceModel }: GuestConfig): boolean =>
	type === "hvm" && (deviceModel?.place ?? "stub-domain") === "stub-domain";

/** Whether there is something to see of a guest whose QEMU is in a Linux stub domain. */
export const hasStubScreen = (config: GuestConfig): boolean =>
	hasStubQemu(config) && config.vga !== "none" && nographicArgs(config).length === 0;

/** A file of QEMU's: a name, no path. */
const keymapArgs = (keymap: string | undefined): string[] =>
	keymap === undefined ? [] : ["-k", requireWord("keymap", keymap, KEYMAP)];

/** libxl: dm_vnc… `listen` may name the display itself; `to=` comes last. */
export function vncAddress({ listen, display, findUnused, password }: VncConfig): string {
	const given = requireWord("VNC address", listen === "" ? "127.0.0.1" : listen, LISTEN);
	if (given.includes(":") && display !== 0)
		throw new InvalidInputError("The VNC address names a display, and so does vncdisplay", {
			remedy: "Remove vncdisplay",
		});
	const address = given.includes(":") ? given : `${given}:${display}`;
	return `${address}${password ? ",password=on" : ""}${findUnused ? ",to=99" : ""}`;
}

/** Only with neither VNC nor SDL, as libxl has it. */
export function nographicArgs({ nographic, vnc, sdl }: GuestConfig): string[] {
	return nographic && !vnc && !sdl ? ["-nographic"] : [];
}
