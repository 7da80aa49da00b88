import { printable } from "@bulkhead/base";
import { defined } from "../defined.ts";
import type { SpiceConfig } from "../guest-config.ts";
import { checkPassword } from "../specs/screen-specs.ts";
import type { ConfigReader } from "./config-reader.ts";
import { readLine } from "./read-path.ts";

const PORTS = { min: 0, max: 65_535 };
const DETAILS = [
	...["spiceport", "spicetls_port", "spicehost", "spicedisable_ticketing", "spicepasswd", "spiceagent_mouse"],
	...["spicevdagent", "spice_clipboard_sharing", "spiceusbredirection", "spice_image_compression"],
	"spice_streaming_video",
];
/** Of a value that becomes part of one of QEMU's comma lists. */
const WORD = /^[A-Za-z0-9_.:-]{1,255}$/;

/** A SPICE server (libxl_dm.c: dm_spice_options): it needs a port, and a password unless ticketing is off. */
export function readSpice(reader: ConfigReader): SpiceConfig | undefined {
	const asked = reader.boolean("spice") ?? false;
	const passwordText = readLine(reader, "spicepasswd");
	const spice = defined<SpiceConfig>({
		port: reader.integer("spiceport", PORTS) || undefined,
		tlsPort: reader.integer("spicetls_port", PORTS) || undefined,
		host: readWord(reader, "spicehost"),
		disableTicketing: reader.boolean("spicedisable_ticketing") ?? false,
		password: reader.attempt("spicepasswd", () => checkPassword("The SPICE password", passwordText)),
		agentMouse: reader.boolean("spiceagent_mouse") ?? true,
		vdagent: reader.boolean("spicevdagent") ?? false,
		clipboardSharing: reader.boolean("spice_clipboard_sharing") ?? false,
		usbRedirection: reader.integer("spiceusbredirection", { min: 0, max: 4 }) ?? 0,
		imageCompression: readWord(reader, "spice_image_compression"),
		streamingVideo: readWord(reader, "spice_streaming_video"),
	});
	if (!asked) {
		for (const key of DETAILS) if (reader.has(key)) reader.warn(key, `Key ${key} has no effect without spice = 1`);
		return undefined;
	}
	if (spice.port === undefined && spice.tlsPort === undefined)
		reader.refuse("spice", "SPICE needs a port", { remedy: "Add spiceport = 6000, or spicetls_port" });
	if (!spice.disableTicketing && spice.password === undefined)
		reader.refuse("spice", "SPICE needs a password", {
			remedy: 'Add spicepasswd = "…", or spicedisable_ticketing = 1',
		});
	return spice;
}

function readWord(reader: ConfigReader, key: string): string | undefined {
	const text = reader.string(key);
	if (text === undefined || WORD.test(text)) return text;
	reader.refuse(key, `Key ${key} does not take "${printable(text, 32)}"`, {
		remedy: "Use letters, digits, dots, dashes",
	});
	return undefined;
}
