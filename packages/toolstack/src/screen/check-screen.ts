import { InvalidInputError } from "@bulkhead/base";
import type { GuestConfig } from "@bulkhead/xlcfg";
import { hasStubQemu, hasStubScreen } from "../device-model/args/screen-args.ts";
import { readScreenKeys } from "./screen-listener.ts";
import { checkListener, type ScreenPolicy } from "./screen-policy.ts";

/**
 * Whether viewers may come by TCP as the config has it, before anything is made. Of guests whose QEMU is in a stub
 * domain: one in domain 0 listens by itself. @throws InvalidInputError `screen-refused`; FileUnusableError
 */
export async function checkScreen(config: GuestConfig, policy: ScreenPolicy): Promise<void> {
	const { vnc } = config;
	if (!vnc || !hasStubQemu(config)) return;
	if (!hasStubScreen(config))
		throw new InvalidInputError(
			"VNC shows nothing of a guest without a graphics card",
			{ remedy: 'Remove vnc, or vga = "none"' },
			"screen-refused",
		);
	checkListener(vnc, policy);
	if (policy.tls) await readScreenKeys(policy.tls);
}
