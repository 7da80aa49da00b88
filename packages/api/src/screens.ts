import type { Uuid } from "@bulkhead/base";

/** A guest's screen, as GET /guests/{ref}/screen tells of it. */
export interface Screen {
	guest: { uuid: Uuid; name: string };
	/** RFB 3.8 without security, for root: the relay's. It is there while the guest's QEMU serves its screen. */
	socketPath: string;
	/** Where bulkheadd serves browsers ("http://127.0.0.1:8006"); absent when it does not. */
	browserUrl?: string;
	/** Name of the channel by which the page exchanges clipboards with the guest, when it has one. */
	clipboardChannel?: string;
}

/** Answer of POST /guests/{ref}/screen: a way in for one browser, once. */
export interface ScreenInvitation {
	guest: { uuid: Uuid; name: string };
	/** The page, with a secret in its fragment, which browsers send to nobody. */
	url: string;
	/** After so long the URL is good for nothing, opened or not. */
	expiresInSeconds: number;
}
