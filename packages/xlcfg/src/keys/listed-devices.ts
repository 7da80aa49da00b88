import { InvalidInputError } from "@bulkhead/base";
import type { ChannelConfig, GuestConfig, KeyedDeviceConfig } from "../guest-config.ts";
import { XLCFG_LIMITS } from "../limits.ts";
import { checkChannelFits, parseChannelSpec } from "../specs/channel-spec.ts";
import { type KeyedKind, parseKeyedDevice } from "../specs/keyed-device.ts";
import { parseSoundCard } from "../specs/sound-card.ts";
import type { ConfigReader } from "./config-reader.ts";
import { stringsOf } from "./memory.ts";
import { readEach } from "./read-path.ts";

type Listed = Pick<
	GuestConfig,
	| ("channels" | "keyboards" | "usbControllers" | "usbDevices" | "p9" | "vtpms" | "pvCalls" | "sounds" | "displays")
	| "virtio"
>;

/** Devices of which a guest has lists (xl-cfg.md §7). */
export function readListedDevices(reader: ConfigReader): Listed {
	const keyed = (kind: KeyedKind): KeyedDeviceConfig[] =>
		readEach(reader, kind, (text) => parseKeyedDevice(kind, text), { most: XLCFG_LIMITS.devices });
	return {
		channels: readChannels(reader),
		keyboards: keyed("vkb"),
		usbControllers: keyed("usbctrl"),
		usbDevices: keyed("usbdev"),
		p9: keyed("p9"),
		vtpms: keyed("vtpm"),
		pvCalls: keyed("pvcalls"),
		sounds: readSounds(reader),
		displays: keyed("vdispl"),
		virtio: keyed("virtio"),
	};
}

function readChannels(reader: ConfigReader): ChannelConfig[] {
	const channels: ChannelConfig[] = [];
	const specs = reader.strings("channel", { most: XLCFG_LIMITS.channels }) ?? [];
	for (const place of specs) {
		const channel = reader.attempt("channel", () => parseChannelSpec(place.text), place);
		if (!channel) continue;
		reader.attempt("channel", () => checkChannelFits(channel, channels), place);
		channels.push(channel);
	}
	return channels;
}

function readSounds(reader: ConfigReader): KeyedDeviceConfig[] {
	const cards = reader.list("vsnd")?.items ?? [];
	if (cards.length > XLCFG_LIMITS.devices)
		reader.refuse("vsnd", `The list vsnd has more than ${XLCFG_LIMITS.devices} entries`);
	return cards.slice(0, XLCFG_LIMITS.devices).flatMap((node) => {
		const card = reader.attempt(
			"vsnd",
			() => {
				const items = node.kind === "list" ? stringsOf(node) : undefined;
				if (!items)
					throw new InvalidInputError("The list vsnd takes a list of strings for each card", {
						remedy: 'Write [ "card", "pcm, name=…", "stream, unique-id=0, type=p" ]',
					});
				return parseSoundCard(items);
			},
			node,
		);
		return card ? [card] : [];
	});
}
