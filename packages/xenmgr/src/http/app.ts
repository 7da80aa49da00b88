import {
	API,
	createGuestRequest,
	dumpCoreRequest,
	qmpRequest,
	renameRequest,
	shutdownRequest,
	statusOfError,
} from "@bulkhead/api";
import { DeadlineError, InvalidInputError, serializeError } from "@bulkhead/base";
import { parseGuestConfig } from "@bulkhead/xlcfg";
import { Hono } from "hono";
import { stream } from "hono/streaming";
import type { OtherConsoles } from "../consoles/other-consoles.ts";
import { dumpGuest } from "../guests/dumps.ts";
import { describeGuest, describeGuests } from "../guests/guest-view.ts";
import type { Guests } from "../guests/guests.ts";
import { awaitEnd, requestPower, requireDomid } from "../guests/power.ts";
import type { Supervisor } from "../guests/supervisor.ts";
import { examine } from "../host/doctor.ts";
import { VERSION } from "../options.ts";
import type { Screens } from "../screen/screens.ts";
import type { Services } from "../services.ts";
import { addChannelRoutes } from "./channel-routes.ts";
import { addDiskRoutes } from "./disk-routes.ts";
import { faultFrom } from "./faults.ts";
import { addNicRoutes } from "./nic-routes.ts";
import { Operations } from "./operations.ts";
import { addPciRoutes } from "./pci-routes.ts";
import { addPoolRoutes } from "./pool-routes.ts";
import { answerWithProgress, type Send } from "./progress-stream.ts";
import { readBody } from "./read-body.ts";
import { addScreenRoutes } from "./screen-routes.ts";
import { addTuningRoutes } from "./tuning-routes.ts";
import { addUsbRoutes } from "./usb-routes.ts";

export interface AppParts {
	services: Services;
	guests: Guests;
	supervisor: Supervisor;
	screens: Screens;
	/** On a daemon that serves consoles of other toolstacks' domains. */
	others?: OtherConsoles | undefined;
	/** Honour the fault headers of tests. */
	allowFaults: boolean;
}

/** The HTTP API, version 1: routes only; what they do lives with guests and host. */
export function createApp(parts: AppParts): Hono {
	const app = new Hono().basePath(API.prefix);
	app.onError((error, context) => context.json(serializeError(error), statusOfError(error)));
	app.notFound((context) =>
		context.json(
			serializeError(
				new InvalidInputError(`There is no ${context.req.method} ${context.req.path}`, {}, "no-such-route"),
			),
			404,
		),
	);
	const operations = new Operations();
	app.delete("/operations/:id", (context) => {
		operations.cancel(context.req.param("id"));
		return context.json({});
	});
	addHostRoutes(app, parts);
	addGuestRoutes(app, parts, operations);
	addPowerRoutes(app, parts, operations);
	addNicRoutes(app, parts, operations);
	addChannelRoutes(app, parts, operations);
	addScreenRoutes(app, parts);
	addDiskRoutes(app, parts);
	addUsbRoutes(app, parts);
	addPciRoutes(app, parts);
	addTuningRoutes(app, parts);
	addPoolRoutes(app, parts);
	return app;
}

function addHostRoutes(app: Hono, { services, guests, others }: AppParts): void {
	const { hypervisor, relay, events } = services;
	app.get("/host", async (context) => {
		const host = await hypervisor.domains.hostInfo();
		return context.json({
			...host,
			daemon: { version: VERSION, pid: process.pid },
			relay: { connected: relay.connected },
		});
	});
	app.get("/host/dmesg", async (context) => context.text(await hypervisor.domains.readConsoleRing()));
	app.get("/host/doctor", async (context) => context.json({ checks: await examine(services, others) }));
	app.get("/host/consoles", async (context) => context.json((await others?.describe()) ?? []));
	app.get("/events", (context) => {
		const only = context.req.query("guest");
		const wanted = only === undefined ? undefined : guests.get(only).uuid;
		context.header("Content-Type", "application/x-ndjson");
		return stream(context, async (output) => {
			const stop = new AbortController();
			output.onAbort(() => stop.abort());
			const subscription = events.subscribe(stop.signal);
			events.emit("heartbeat");
			for await (const event of subscription) {
				if (wanted !== undefined && event.type !== "heartbeat" && event.guest?.uuid !== wanted) continue;
				await output.write(`${JSON.stringify(event)}\n`);
			}
		});
	});
}

function addGuestRoutes(
	app: Hono,
	{ services, guests, supervisor, allowFaults }: AppParts,
	operations: Operations,
): void {
	app.get("/guests", async (context) => context.json(await describeGuests(guests.all(), services)));
	app.get("/guests/:ref", async (context) => {
		const guest = guests.get(context.req.param("ref"));
		return context.json({ ...(await describeGuest(guest, services)), config: guest.record.config });
	});
	app.get("/guests/:ref/consoles", async (context) => {
		const { consoles } = await describeGuest(guests.get(context.req.param("ref")), services);
		return context.json(consoles);
	});
	app.post("/guests", async (context) => {
		const request = await readBody(context, createGuestRequest);
		const { file, baseDir, overrides, paused, dryRun } = request;
		const { config, warnings } = parseGuestConfig(request.configText, { file, overrides, baseDir });
		const afterStep = allowFaults ? faultFrom(context.req.header("x-bulkhead-fault")) : undefined;
		return answerWithProgress(context, operations, async (send, signal) => {
			for (const warning of warnings) send({ type: "warning", message: warning });
			if (dryRun) return { plan: await guests.planFor(config, { paused }) };
			const onProgress = sendProgress(send);
			const guest = await guests.create(config, { paused, signal, onProgress, afterStep });
			supervisor.watchDeviceModel(guest);
			return { guest: await describeGuest(guest, services) };
		});
	});
	app.delete("/guests/:ref", (context) => {
		const guest = guests.get(context.req.param("ref"));
		return answerWithProgress(context, operations, async (send) => {
			const last = await describeGuest(guest, services);
			await guest.operations.run(() => guests.remove(guest, "destroyed", { onProgress: sendProgress(send) }));
			return { guest: { ...last, phase: "ended" } };
		});
	});
}

function addPowerRoutes(app: Hono, { services, guests }: AppParts, operations: Operations): void {
	const { domains } = services.hypervisor;
	app.post("/guests/:ref/shutdown", async (context) => {
		const { wait, timeoutMs, force } = await readBody(context, shutdownRequest);
		const guest = guests.get(context.req.param("ref"));
		return answerWithProgress(context, operations, async (send, signal) => {
			const ended = wait ? awaitEnd(guest, services, timeoutMs, signal) : undefined;
			ended?.catch(() => {});
			const asked = await requestPower(guest, "poweroff", services);
			const last = await describeGuest(guest, services);
			if (!ended) return { guest: last, asked };
			try {
				return { guest: last, asked, ended: await ended };
			} catch (error) {
				if (!force || !(error instanceof DeadlineError)) throw error;
				await guest.operations.run(() => guests.remove(guest, "destroyed", { onProgress: sendProgress(send) }));
				return { guest: last, asked, ended: "destroyed" };
			}
		});
	});
	app.post("/guests/:ref/dump-core", async (context) => {
		const { path } = await readBody(context, dumpCoreRequest);
		const guest = guests.get(context.req.param("ref"));
		return answerWithProgress(context, operations, async (_, signal) => ({
			path,
			bytes: await dumpGuest(guest, services, path, signal),
		}));
	});
	app.post("/guests/:ref/reboot", async (context) => {
		const guest = guests.get(context.req.param("ref"));
		await requestPower(guest, "reboot", services);
		return context.json(await describeGuest(guest, services));
	});
	for (const action of ["pause", "unpause"] as const) {
		app.post(`/guests/:ref/${action}`, async (context) => {
			const guest = guests.get(context.req.param("ref"));
			await guest.operations.run(() => domains[action](requireDomid(guest)));
			services.events.emit("guest-state", { guest: guest.identity, state: action === "pause" ? "paused" : "running" });
			return context.json(await describeGuest(guest, services));
		});
	}
	app.post("/guests/:ref/rename", async (context) => {
		const { name } = await readBody(context, renameRequest);
		const guest = guests.get(context.req.param("ref"));
		await guest.operations.run(() => guests.rename(guest, name));
		return context.json(await describeGuest(guest, services));
	});
	app.post("/guests/:ref/qmp", async (context) => {
		const request = await readBody(context, qmpRequest);
		const guest = guests.get(context.req.param("ref"));
		const { relay } = services;
		return context.json({
			return: await relay.executeQmp(guest.uuid, request.command, request.arguments, request.timeoutMs),
		});
	});
}

const sendProgress =
	(send: Send) =>
	(progress: object): void =>
		send({ type: "progress", ...progress });
