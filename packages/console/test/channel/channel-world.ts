import { type ProtocolError, randomUuid } from "@bulkhead/base";
import { onTestFinished } from "vitest";
import { ChannelRing } from "../../src/channel/channel-ring.ts";
import { FakeFrontend, FakeRingHost } from "../../src/testing/index.ts";
import { temporaryDirectory } from "../temporary-directory.ts";

/** A guest's channel with its ring attached. Doors are the test's to close. */
export class ChannelWorld {
	readonly host: FakeRingHost = new FakeRingHost();
	readonly frontend: FakeFrontend;
	readonly ring: ChannelRing;
	readonly path: string = `${temporaryDirectory()}/${randomUuid().slice(0, 8)}.sock`;
	broken: ProtocolError | undefined;
	/** That the ring has had. */
	turns = 0;

	constructor({ startAt = 0xffff_fff0 }: { startAt?: number } = {}) {
		this.frontend = new FakeFrontend(this.host, { domid: 7, gref: 11, port: 4, startAt });
		const { domid, gref, port } = this.frontend;
		this.ring = ChannelRing.attach({
			evtchns: this.host.evtchns,
			grants: this.host.grants,
			domid,
			gref,
			remotePort: port,
			onBroken: (error) => {
				this.broken = error;
			},
			schedule: (turn) =>
				setImmediate(() => {
					this.turns++;
					turn();
				}),
		});
		onTestFinished(() => {
			this.ring.end();
			this.host.assertIdle();
		});
	}
}
