import type { Guests } from "../guests/guests.ts";
import type { Services } from "../services.ts";
import type { OtherConsoles } from "./other-consoles.ts";

/**
 * Has a relay that outlived a daemon let go of consoles that are nobody's any more: of domains that ended meanwhile, or
 * of other toolstacks' when these are xenconsoled's again.
 */
export async function letGoOfStrangers(services: Services, guests: Guests, others?: OtherConsoles): Promise<void> {
	const { consoles } = await services.relay.list();
	const strangers = new Set(consoles.map(({ guest }) => guest));
	for (const uuid of strangers)
		if (!guests.find(uuid) && !others?.isFollowed(uuid)) await services.relay.release(uuid, { purge: false });
}
