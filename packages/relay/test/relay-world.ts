import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RelayClient, type RelayNotification } from "@bulkhead/api/relay";
import { FakeRingHost } from "@bulkhead/console/testing";
import { onTestFinished } from "vitest";
import type { QmpDialer } from "../src/qmp/qmp-dialer.ts";
import type { QmpPolicy } from "../src/qmp/qmp-policy.ts";
import { Relay } from "../src/relay.ts";
import type { RelayLog } from "../src/relay-log.ts";

/** A relay on fake rings in a directory of its own, and a client of its control socket. */
export class RelayWorld {
	readonly directory: string = mkdtempSync(join(tmpdir(), "bhr-"));
	readonly host: FakeRingHost = new FakeRingHost();
	readonly notifications: RelayNotification[] = [];
	readonly logged: string[] = [];
	relay!: Relay;
	client!: RelayClient;
	readonly #dial: QmpDialer;
	readonly #policy: QmpPolicy | undefined;

	private constructor(dial: QmpDialer, policy: QmpPolicy | undefined) {
		this.#dial = dial;
		this.#policy = policy;
	}

	static async start(options: { dial?: QmpDialer; policy?: QmpPolicy } = {}): Promise<RelayWorld> {
		const nobody: QmpDialer = () => Promise.reject(new Error("No QEMU here"));
		const world = new RelayWorld(options.dial ?? nobody, options.policy);
		onTestFinished(() => {
			world.client.close();
			world.relay.stop();
			world.host.assertIdle();
			rmSync(world.directory, { recursive: true, force: true });
		});
		await world.serve();
		return world;
	}

	get controlPath(): string {
		return join(this.directory, "run", "control.sock");
	}

	get consolePath(): string {
		return join(this.directory, "run", "console.sock");
	}

	async serve(): Promise<void> {
		const note =
			(level: string) =>
			(context: object, message: string): void => {
				this.logged.push(`${level}: ${message} ${JSON.stringify(context)}`);
			};
		const log: RelayLog = { info: note("info"), warn: note("warn"), error: note("error") };
		this.relay = await Relay.start({
			host: this.host,
			dialQmp: this.#dial,
			qmpPolicy: this.#policy,
			runDirectory: join(this.directory, "run"),
			stateDirectory: join(this.directory, "state"),
			bootId: "boot",
			log,
			ptyFiles: this.host.devices.files,
		});
		this.client = await this.connect();
	}

	connect(): Promise<RelayClient> {
		return RelayClient.connect({
			path: this.controlPath,
			timeoutMs: 5000,
			onNotification: (notification) => this.notifications.push(notification),
		});
	}

	async restart(): Promise<void> {
		this.client.close();
		this.relay.stop();
		await this.serve();
	}
}
