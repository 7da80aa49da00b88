import { InvalidInputError } from "@bulkhead/base";
import type { GuestConfig, SpiceConfig } from "@bulkhead/xlcfg";
import { type ArgsPlace, inStub } from "./args-place.ts";
import { optionValue, plainWord } from "./option-text.ts";

/** libxl's agent channel in the guest. */
const VDAGENT = [
	"-device",
	"virtio-serial",
	"-chardev",
	"spicevmc,id=vdagent,name=vdagent",
	"-device",
	"virtserialport,chardev=vdagent,name=com.redhat.spice.0",
] as const;

/** SPICE, of a QEMU in domain 0 only. */
export function spiceArgs({ spice }: GuestConfig, place: ArgsPlace): string[] {
	if (!spice || inStub(place)) return [];
	return ["-spice", spiceOptions(spice), ...(spice.vdagent ? VDAGENT : [])];
}

function spiceOptions(spice: SpiceConfig): string {
	const { port = 0, tlsPort = 0, host, disableTicketing, password, agentMouse, clipboardSharing } = spice;
	if (port === 0 && tlsPort === 0)
		throw new InvalidInputError("SPICE has neither a port nor a TLS port", {
			remedy: "Give spiceport or spicetls_port",
		});
	if (!disableTicketing && !password)
		throw new InvalidInputError("SPICE with tickets needs a password", {
			remedy: "Give spicepasswd, or spicedisable_ticketing = 1",
		});
	return [
		`port=${port}`,
		`tls-port=${tlsPort}`,
		...(host === undefined ? [] : [`addr=${optionValue("SPICE address", host)}`]),
		disableTicketing ? "disable-ticketing=on" : `password=${optionValue("SPICE password", password ?? "")}`,
		`agent-mouse=${agentMouse ? "on" : "off"}`,
		...(clipboardSharing ? [] : ["disable-copy-paste=on"]),
		...(spice.imageCompression === undefined
			? []
			: [`image-compression=${plainWord("SPICE image compression", spice.imageCompression)}`]),
		...(spice.streamingVideo === undefined
			? []
			: [`streaming-video=${plainWord("SPICE video streaming", spice.streamingVideo)}`]),
	].join(",");
}
