import { defined } from "../defined.ts";
import type { FrameBufferConfig, GuestConfig, GuestType, SdlConfig, VncConfig } from "../guest-config.ts";
import { XLCFG_LIMITS } from "../limits.ts";
import { checkKeymap, checkPassword, MOST_DISPLAYS, parseFrameBuffer, parseVncListen } from "../specs/screen-specs.ts";
import type { ConfigReader } from "./config-reader.ts";
import { readEach, readLine } from "./read-path.ts";
import { readSpice } from "./spice.ts";
import { readVga, readVideoMemory } from "./vga.ts";

type Screens = Pick<
	GuestConfig,
	| ("vga" | "videoMemoryKiB" | "nographic" | "vnc" | "sdl" | "spice" | "keymap" | "frameBuffers" | "gfxPassthru")
	| "pvKeyboard"
>;

const VNC_KEYS = ["vnclisten", "vncdisplay", "vncunused", "vncpasswd"];
const SDL_KEYS = ["opengl", "display", "xauthority"];

/** Graphics cards and where their picture goes (xl-cfg.md §7). */
export function readScreens(reader: ConfigReader, type: GuestType): Screens {
	const listed = readEach(reader, "vfb", parseFrameBuffer);
	const vnc = readVnc(reader, type);
	const sdl = readSdl(reader);
	const keymapText = reader.string("keymap");
	const keymap = keymapText === undefined ? undefined : reader.attempt("keymap", () => checkKeymap(keymapText));
	if (type !== "hvm") {
		const frameBuffers = chooseFrameBuffers(reader, listed, defined<FrameBufferConfig>({ vnc, sdl, keymap }));
		return { vga: "none", videoMemoryKiB: 0, nographic: false, frameBuffers, pvKeyboard: true };
	}
	const vga = readVga(reader);
	return defined<Screens>({
		vga,
		videoMemoryKiB: readVideoMemory(reader, vga) * 1024,
		nographic: reader.boolean("nographic") ?? false,
		vnc,
		sdl,
		spice: readSpice(reader),
		keymap,
		frameBuffers: [],
		gfxPassthru: readGfxPassthru(reader),
		pvKeyboard: reader.boolean("vkb_device") ?? true,
	});
}

/** The listed ones; without a list, the one that the keys for an HVM guest's screen describe. */
function chooseFrameBuffers(
	reader: ConfigReader,
	listed: FrameBufferConfig[],
	single: FrameBufferConfig,
): FrameBufferConfig[] {
	if (!reader.has("vfb")) return single.vnc || single.sdl ? [single] : [];
	for (const key of ["vnc", ...VNC_KEYS, "sdl", ...SDL_KEYS, "keymap"])
		if (reader.has(key)) reader.warn(key, `Key ${key} has no effect beside vfb`);
	return listed;
}

/** On when asked for. An HVM guest's other vnc keys ask too: xl has VNC on for every HVM guest. */
function readVnc(reader: ConfigReader, type: GuestType): VncConfig | undefined {
	const asked = reader.boolean("vnc");
	const details = VNC_KEYS.filter((key) => reader.has(key));
	const display = reader.integer("vncdisplay", { min: 0, max: MOST_DISPLAYS });
	const listen = readLine(reader, "vnclisten") ?? "";
	const place = reader.attempt("vnclisten", () => parseVncListen(listen, display));
	const findUnused = reader.boolean("vncunused") ?? true;
	const passwordText = readLine(reader, "vncpasswd", XLCFG_LIMITS.wordBytes);
	const password = reader.attempt("vncpasswd", () => checkPassword("The VNC password", passwordText));
	if ((asked ?? (type === "hvm" && details.length > 0)) && place)
		return defined<VncConfig>({ ...place, findUnused, password });
	for (const key of details) reader.warn(key, `Key ${key} has no effect without vnc = 1`);
	return undefined;
}

function readSdl(reader: ConfigReader): SdlConfig | undefined {
	const asked = reader.boolean("sdl") ?? false;
	const details = SDL_KEYS.filter((key) => reader.has(key));
	const sdl = defined<SdlConfig>({
		opengl: reader.boolean("opengl") ?? false,
		display: readLine(reader, "display"),
		xauthority: readLine(reader, "xauthority", XLCFG_LIMITS.pathBytes),
	});
	if (asked) return sdl;
	for (const key of details) reader.warn(key, `Key ${key} has no effect without sdl = 1`);
	return undefined;
}

/** A graphics card of the host, handed to the guest; "igd" says that it is Intel's. */
function readGfxPassthru(reader: ConfigReader): GuestConfig["gfxPassthru"] {
	if (reader.kind("gfx_passthru") === "string" && !/^\s*[01]\s*$/.test(reader.string("gfx_passthru") ?? ""))
		return reader.word("gfx_passthru", ["igd"]);
	return reader.boolean("gfx_passthru") === true ? "on" : undefined;
}
