import { InvalidInputError, printable } from "@bulkhead/base";
import type { GuestConfig } from "@bulkhead/xlcfg";

/** Sound cards that QEMU knows by these names. */
const CARDS: ReadonlySet<string> = new Set(["ac97", "adlib", "cs4231a", "es1370", "gus", "sb16"]);

/** @throws InvalidInputError for a card that QEMU has not */
export function soundArgs({ soundHardware }: GuestConfig): string[] {
	if (soundHardware === undefined || soundHardware === "") return [];
	if (soundHardware === "hda") return ["-device", "intel-hda", "-device", "hda-duplex"];
	if (CARDS.has(soundHardware)) return ["-device", soundHardware];
	throw new InvalidInputError(`There is no sound card "${printable(soundHardware, 32)}"`, {
		remedy: `Use hda, ${[...CARDS].join(", ")}`,
	});
}
