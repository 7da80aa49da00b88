import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { LISTENER_INBOX, type RelayNotification } from "@bulkhead/api/relay";
import { serializeError } from "@bulkhead/base";
import type { Hypervisor } from "@bulkhead/hypervisor";
import { XenstoreClient } from "@bulkhead/xenstore";
import type { Logger } from "pino";
import { letGoOfStrangers } from "./consoles/let-go.ts";
import { OtherConsoles } from "./consoles/other-consoles.ts";
import { Events } from "./events.ts";
import { adoptAll } from "./guests/adoption.ts";
import { GuestStore } from "./guests/guest-store.ts";
import { Guests } from "./guests/guests.ts";
import { ImageWatch } from "./guests/image-watch.ts";
import { Supervisor } from "./guests/supervisor.ts";
import { findInstalledImages } from "./host/installed-images.ts";
import { createApp } from "./http/app.ts";
import { type BrowserServer, serveBrowsers } from "./http/browser/serve-browsers.ts";
import { serveOnSocket } from "./http/serve-on-socket.ts";
import { type DaemonOptions, VERSION } from "./options.ts";
import { QmpRecovery } from "./relay/qmp-recovery.ts";
import { reattachAll } from "./relay/reattach.ts";
import { RelayLink } from "./relay/relay-link.ts";
import { Screens } from "./screen/screens.ts";
import type { Directories, Services } from "./services.ts";

export interface RunDaemon {
	options: DaemonOptions;
	hypervisor: Hypervisor;
	log: Logger;
	/** Ends the daemon; guests run on. */
	signal: AbortSignal;
}

const XENSTORE_TIMEOUT_MS = 10_000;
const HEARTBEAT_MS = 15_000;
/** Beside the records. */
const OTHERS_FILE = "other-consoles.json";
/** Makes Debian's udev rules leave backend devices to the toolstack (libxl writes the same). */
const DISABLE_UDEV = "/local/domain/0/libxl/disable_udev";

/** Runs bulkheadd until the signal aborts or xenstored is lost. @throws XenstoreError when xenstored is lost */
export async function runDaemon({ options, hypervisor, log, signal }: RunDaemon): Promise<void> {
	const stop = new AbortController();
	const stopped = AbortSignal.any([signal, stop.signal]);
	const xenstore = await XenstoreClient.connect({
		path: options.xenstoreSocket,
		timeoutMs: XENSTORE_TIMEOUT_MS,
		signal,
	});
	const events = new Events();
	const store = await GuestStore.open(options.stateDirectory);
	const directories = directoriesOf(options);
	for (const folder of [directories.run, directories.images]) await mkdir(folder, { recursive: true, mode: 0o711 });
	const installed = await findInstalledImages(options, hypervisor);
	await xenstore.write(DISABLE_UDEV, "1");

	const inbox = options.relayInbox ?? join(dirname(options.relaySocket), LISTENER_INBOX);
	const relay = new RelayLink({
		path: options.relaySocket,
		inbox,
		onNotification: (notification) => handleNotification(notification),
		onConnected: () => {
			log.info("Connected to the relay");
			events.emit("relay-state", { state: "connected" });
			void reattachAll(guests.all(), services);
			void serveOthers();
		},
		onLost: (error) => {
			log.warn({ error: error && serializeError(error) }, "Lost the relay");
			events.emit("relay-state", { state: "lost" });
		},
		onQmpAttached: (id, status) => {
			const guest = guests.find(id);
			if (guest) guest.qmpStatus = status;
		},
	});
	const services: Services = {
		xenstore,
		hypervisor,
		relay,
		store,
		events,
		installed,
		directories,
		screenPolicy: { allowPlain: options.vncAllowPlain, ...(options.vncTls && { tls: options.vncTls }) },
		log,
	};
	const guests = new Guests(services);
	const supervisor = new Supervisor(services, guests);
	const recovery = new QmpRecovery(services);

	const ledgerPath = join(options.stateDirectory, OTHERS_FILE);
	const others = options.serveAllConsoles
		? await OtherConsoles.open(services, guests, { ledgerPath, signal: stopped })
		: undefined;
	const serveOthers = async (): Promise<void> => {
		try {
			await others?.reattach();
			await letGoOfStrangers(services, guests, others);
		} catch (error) {
			log.warn({ error: serializeError(error) }, "Cannot set the relay's consoles right");
		}
	};

	const handleNotification = ({ name, params }: RelayNotification): void => {
		const guest = guests.find(params.guest);
		if (!guest) return;
		if (name === "qmp-event") guest.noteQmpEvent(params.event);
		// What xenstore refuses ends the daemon by itself.
		if (name === "channel-ended") guest.channels?.ringEnded(params.name, new Error(params.reason)).catch(() => {});
		if (name === "qmp-ended") recovery.lost(guest);
		events.emit(name === "qmp-ended" ? "device-model-state" : name, { ...params, guest: guest.identity });
	};

	await adoptAll(services, guests, supervisor);
	relay.start();
	const screens = new Screens({ guests, relayDirectory: dirname(inbox), log });
	const browsers = await openToBrowsers(options, screens, log);
	const app = createApp({ services, guests, supervisor, screens, others, allowFaults: options.allowFaults });
	const server = await serveOnSocket(app, options.socket);
	const heartbeat = setInterval(() => events.emit("heartbeat"), HEARTBEAT_MS);
	log.info({ version: VERSION, socket: options.socket, guests: guests.all().length }, "bulkheadd is ready");
	void screens.follow(events, stopped);
	others?.run().catch((error: unknown) => {
		if (!stopped.aborted) log.error({ error: serializeError(error) }, "Cannot follow other toolstacks' domains");
	});
	try {
		await Promise.race([
			supervisor.run(stopped),
			new ImageWatch(services, guests).run(stopped),
			lostXenstore(xenstore),
		]);
	} catch (error) {
		if (!signal.aborted) throw error;
	} finally {
		stop.abort();
		clearInterval(heartbeat);
		recovery.stop();
		screens.close();
		await browsers?.close();
		await server.close();
		relay.close();
		xenstore.close();
		hypervisor.close();
	}
}

/** Guests matter more than screens: what cannot be served is told to whoever asks for it. */
async function openToBrowsers(
	{ browsers }: DaemonOptions,
	screens: Screens,
	log: Logger,
): Promise<BrowserServer | undefined> {
	if (!browsers) return undefined;
	try {
		const server = await serveBrowsers(browsers, screens);
		screens.browserUrl = server.url;
		log.info({ url: server.url }, "Browsers are served guests' screens");
		return server;
	} catch (error) {
		const { message, cause } = serializeError(error);
		screens.whyNot = cause ? `${message} (${cause.message})` : message;
		log.error({ error: serializeError(error) }, "Browsers are not served");
		return undefined;
	}
}

function directoriesOf(options: DaemonOptions): Directories {
	return {
		state: options.stateDirectory,
		run: join(dirname(options.socket), "qemu"),
		dumps: options.dumpDirectory,
		images: join(dirname(options.socket), "images"),
		log: options.logDirectory,
		xenRun: options.hypervisor === "sim" ? join(options.simDirectory, "xen") : "/run/xen",
	};
}

function lostXenstore(xenstore: XenstoreClient): Promise<never> {
	return new Promise((_, reject) => xenstore.onClose(reject));
}
