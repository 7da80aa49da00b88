import { InvalidInputError, printable } from "@bulkhead/base";
import { defined } from "../defined.ts";
import type { FrameBufferConfig, SdlConfig, VncConfig } from "../guest-config.ts";
import { parseCount, parseFlag, parseKeyed } from "./parameters.ts";

const WHAT = "The frame buffer";
export const MOST_DISPLAYS = 59_635;
const LISTEN = /^(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,255})?(?::([0-9]{1,5}))?$/;

/**
 * The address a VNC server listens on: "0.0.0.0", "[::1]", or with a display, "127.0.0.1:2".
 * @throws InvalidInputError
 */
export function parseVncListen(listen: string, display: number | undefined): Pick<VncConfig, "listen" | "display"> {
	const [all, address = "127.0.0.1", within] = LISTEN.exec(listen) ?? [];
	if (all === undefined)
		throw new InvalidInputError(`"${printable(listen, 64)}" is no address to listen on`, {
			remedy: "Write 127.0.0.1, 0.0.0.0, or [::1] for IPv6",
		});
	if (within !== undefined && display !== undefined && display !== 0)
		throw new InvalidInputError("The VNC display is given in vnclisten and in vncdisplay", {
			remedy: "Remove the one behind the colon",
		});
	const chosen = within === undefined ? (display ?? 0) : Number(within);
	if (chosen > MOST_DISPLAYS) throw new InvalidInputError(`VNC displays go from 0 to ${MOST_DISPLAYS}`);
	return { listen: address, display: chosen };
}

/** @throws InvalidInputError */
export function checkPassword(what: string, password: string | undefined): string | undefined {
	if (password === undefined || password === "") return undefined;
	if (/\p{Cc}/u.test(password)) throw new InvalidInputError(`${what} has a control character`);
	if (password.length > 255) throw new InvalidInputError(`${what} is longer than 255 characters`);
	return password;
}

/** Reads one entry of `vfb = [ … ]`: VNC on unless vnc=0. @throws InvalidInputError */
export function parseFrameBuffer(text: string): FrameBufferConfig {
	const given = parseKeyed(WHAT, text, [
		...(["vnc", "vnclisten", "vncpasswd", "vncdisplay", "vncunused", "keymap"] as const),
		...(["sdl", "opengl", "display", "xauthority"] as const),
	]);
	const display = parseCount(WHAT, "vncdisplay", given.vncdisplay, { min: 0, max: MOST_DISPLAYS });
	const vnc = defined<VncConfig>({
		...parseVncListen(given.vnclisten ?? "", display),
		findUnused: parseFlag(WHAT, "vncunused", given.vncunused) ?? true,
		password: checkPassword("The VNC password", given.vncpasswd),
	});
	const sdl = defined<SdlConfig>({
		opengl: parseFlag(WHAT, "opengl", given.opengl) ?? false,
		display: given.display,
		xauthority: given.xauthority,
	});
	return defined<FrameBufferConfig>({
		vnc: (parseFlag(WHAT, "vnc", given.vnc) ?? true) ? vnc : undefined,
		sdl: (parseFlag(WHAT, "sdl", given.sdl) ?? false) ? sdl : undefined,
		keymap: checkKeymap(given.keymap),
	});
}

/** QEMU opens a file of that name. @throws InvalidInputError */
export function checkKeymap(keymap: string | undefined): string | undefined {
	if (keymap === undefined || /^[a-z]{1,8}(?:[-_][A-Za-z0-9]{1,8})?$/.test(keymap)) return keymap;
	throw new InvalidInputError(`"${printable(keymap, 32)}" is no name of a keyboard layout`, {
		remedy: 'Use "en-us", "de" or another of QEMU\'s names',
	});
}

export function formatFrameBuffer({ vnc, sdl, keymap }: FrameBufferConfig): string {
	const parts: [string, string | number | undefined][] = [
		["vnc", Number(vnc !== undefined)],
		["vnclisten", vnc?.listen],
		["vncdisplay", vnc?.display],
		["vncunused", vnc && Number(vnc.findUnused)],
		["vncpasswd", vnc?.password],
		["sdl", sdl && 1],
		["opengl", sdl && Number(sdl.opengl)],
		["display", sdl?.display],
		["xauthority", sdl?.xauthority],
		["keymap", keymap],
	];
	return parts.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])).join(",");
}
