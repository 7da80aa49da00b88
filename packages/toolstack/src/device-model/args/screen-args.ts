import { InvalidInputError } from "@bulkhead/base";
import type { GuestConfig, VncConfig } from "@bulkhead/xlcfg";
import { type ArgsPlace, inStub } from "./args-place.ts";
import { requireWord } from "./option-text.ts";

const LISTEN = /^[A-Za-z0-9.:[\]_-]+$/;
const KEYMAP = /^[A-Za-z]{2,3}(?:-[A-Za-z]{2,4})?$/;

/** VNC, SDL and the keyboard layout. A stub domain has no screen to show: neither VNC nor SDL there, as upstream. */
export function screenArgs(config: Pick<GuestConfig, "vnc" | "sdl" | "keymap">, place: ArgsPlace): string[] {
	const { vnc, sdl, keymap } = config;
	return [
		...(inStub(place) ? [] : ["-vnc", vnc ? vncAddress(vnc) : "none"]),
		...["-display", "none"],
		...(sdl && !inStub(place) ? ["-display", "sdl"] : []),
		...(keymap === undefined ? [] : ["-k", requireWord("keymap", keymap, KEYMAP)]),
	];
}

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
