import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { BulkheadError, CancelledError } from "@bulkhead/base";
import { pump } from "../stream/pump.ts";
import { RateLimit } from "../stream/rate-limit.ts";
import { type GreetedViewer, greetViewer, type ViewerSecurity } from "./rfb/greet-viewer.ts";
import type { ScreenSlots } from "./screen-slots.ts";

/** Long enough for somebody to look a password up: viewers ask for it with the connection open. */
const GREETING_MS = 60_000;
const FAREWELL_MS = 1000;
/** Four frames of 1024 by 768 a second, uncompressed, and some at once: a QEMU that sends more only burns our time. */
const SCREEN_RATE = { burstBytes: 16 * 1024 * 1024, bytesPerSecond: 16 * 1024 * 1024 } as const;

export interface ServeViewer {
	/** Its errors are listened to. */
	socket: Socket;
	security: ViewerSecurity;
	slots: ScreenSlots;
	/** Nobody may look any more. */
	signal: AbortSignal;
	onBegin: () => void;
}

/** One viewer from its first byte to its last. Nothing of it is left then. @throws what kept it from looking */
export async function serveViewer({ socket, security, slots, signal, onBegin }: ServeViewer): Promise<void> {
	const timer = setTimeout(() => socket.destroy(), GREETING_MS);
	const destroy = (): void => void socket.destroy();
	signal.addEventListener("abort", destroy, { once: true });
	try {
		const viewer = await greetViewer(socket, security);
		await answered(viewer, () =>
			slots.use(async (screen) => {
				clearTimeout(timer);
				viewer.accept();
				onBegin();
				await pump(viewer.stream, screen, signal, new RateLimit(SCREEN_RATE));
			}),
		);
	} finally {
		clearTimeout(timer);
		signal.removeEventListener("abort", destroy);
		leave(socket);
	}
}

/** A viewer is told why its screen does not come. */
async function answered(viewer: GreetedViewer, look: () => Promise<void>): Promise<void> {
	try {
		await look();
	} catch (error) {
		if (!viewer.stream.destroyed) viewer.refuse(reasonOf(error));
		throw error;
	} finally {
		leave(viewer.stream);
	}
}

function reasonOf(error: unknown): string {
	if (error instanceof BulkheadError && error.code === "screen-full") return error.message;
	return error instanceof CancelledError ? "The guest's screen is gone" : "The guest's screen does not answer";
}

/** What was written still goes out, for a while. */
function leave(stream: Duplex): void {
	if (stream.destroyed) return;
	const timer = setTimeout(() => stream.destroy(), FAREWELL_MS);
	stream.once("close", () => clearTimeout(timer));
	stream.resume();
	stream.end();
}
