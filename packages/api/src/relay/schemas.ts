import * as z from "zod";
import {
	channelNameField,
	countField,
	domIdField,
	evtchnPortField,
	grantRefField,
	labelField,
	timeoutField,
	uuidField,
} from "./fields.ts";
import { RELAY_LIMITS } from "./limits.ts";
import type { RelayMethod, RelayNotificationName, RelayNotifications, RelayParams, RelayResult } from "./methods.ts";

const nothing = z.object({});
const consoleName = { guest: uuidField, label: labelField };
const consolePaths = { ptyPath: z.string().optional(), socketPath: z.string(), journalPath: z.string() };

const attachConsole = {
	...consoleName,
	domid: domIdField,
	index: z.number().int().min(0).max(255),
	gref: grantRefField,
	remotePort: evtchnPortField,
	pty: z.boolean(),
};

const channelName = { guest: uuidField, name: channelNameField };
const channelRing = {
	...channelName,
	domid: domIdField,
	devid: z.number().int().min(1).max(255),
	gref: grantRefField,
	remotePort: evtchnPortField,
};
const pem = z.string().max(RELAY_LIMITS.pemBytes).optional();
const keys = z.object({ ca: pem, cert: pem, key: pem, serverName: z.string().min(1).max(253).optional() }).optional();
const token = z.string().regex(/^[0-9a-f]{32}$/);
const door = z.discriminatedUnion("kind", [
	z.object({ kind: z.literal("pty") }),
	z.object({ kind: z.literal("listen"), token, tls: keys }),
	z.object({
		kind: z.literal("connect"),
		host: z.string().min(1).max(253),
		port: z.number().int().min(1).max(65_535),
		tls: keys,
	}),
]);

/** Longest path of a unix socket (unix(7)). */
const SOCKET_PATH_BYTES = 107;
const unixSocket = {
	guest: uuidField,
	domid: domIdField,
	path: z
		.string()
		.regex(/^\/[^\0]*$/)
		.refine((path) => Buffer.byteLength(path) <= SOCKET_PATH_BYTES),
};
const vchan = { guest: uuidField, domid: domIdField, ringRef: grantRefField, remotePort: evtchnPortField };

const qmpState = {
	state: z.enum(["connecting", "connected"]),
	qemuVersion: z.string().optional(),
	events: countField,
	droppedEvents: countField,
	clients: countField,
};

const listenerPlace = { address: z.string().min(1).max(64), port: z.number().int().min(1).max(65_535) };
const screen = {
	guest: uuidField,
	domid: domIdField,
	slots: z
		.array(z.object({ ringRef: grantRefField, remotePort: evtchnPortField }))
		.min(1)
		.max(RELAY_LIMITS.screenSlots),
};
const screenListener = z.object({
	...listenerPlace,
	token,
	password: z.string().min(1).max(255).optional(),
	tls: z.object({ cert: z.string().max(RELAY_LIMITS.pemBytes), key: z.string().max(RELAY_LIMITS.pemBytes) }).optional(),
});

const holdings = {
	consoles: z.array(
		z.object({
			...attachConsole,
			...consolePaths,
			readers: countField,
			outputBytes: countField,
			blocked: z.boolean(),
		}),
	),
	channels: z.array(
		z.object({
			...channelRing,
			kind: z.enum(["pty", "listen", "connect"]),
			ptyPath: z.string().optional(),
			clients: countField,
			trouble: z.string().optional(),
			fromGuest: countField,
			toGuest: countField,
			dropped: countField,
		}),
	),
	qmps: z.array(z.union([z.object({ ...vchan, ...qmpState }), z.object({ ...unixSocket, ...qmpState })])),
	screens: z.array(
		z.object({
			...screen,
			socketPath: z.string(),
			viewers: countField,
			listener: z
				.object({ ...listenerPlace, security: z.enum(["none", "password", "tls", "tls-and-password"]) })
				.optional(),
		}),
	),
};

/** The checks behind RelayMethods: parameters by the relay, results by its client. */
export const RELAY_METHODS: {
	readonly [M in RelayMethod]: {
		readonly params: z.ZodType<RelayParams<M>>;
		readonly result: z.ZodType<RelayResult<M>>;
	};
} = {
	hello: { params: nothing, result: z.object({ version: z.string(), pid: z.number().int(), ...holdings }) },
	"attach-console": { params: z.object(attachConsole), result: z.object(consolePaths) },
	"detach-console": { params: z.object({ ...consoleName, purge: z.boolean() }), result: nothing },
	"attach-channel": {
		params: z.object({ ...channelRing, door }),
		result: z.object({ ptyPath: z.string().optional() }),
	},
	"detach-channel": { params: z.object(channelName), result: nothing },
	"attach-qmp": {
		params: z.union([
			z.object({ ...vchan, greetingTimeoutMs: timeoutField }),
			z.object({ ...unixSocket, greetingTimeoutMs: timeoutField }),
		]),
		result: z.object({ qemuVersion: z.string(), status: z.string() }),
	},
	"detach-qmp": { params: z.object({ guest: uuidField }), result: nothing },
	"attach-screen": {
		params: z.object({ ...screen, listener: screenListener.optional() }),
		result: z.object({ socketPath: z.string() }),
	},
	"detach-screen": { params: z.object({ guest: uuidField }), result: nothing },
	"qmp-execute": {
		params: z.object({
			guest: uuidField,
			command: z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,127}$/),
			arguments: z.record(z.string(), z.unknown()).optional(),
			timeoutMs: timeoutField,
		}),
		result: z.object({ return: z.unknown().optional() }),
	},
	tail: {
		params: z.object({ ...consoleName, maxBytes: z.number().int().min(1).max(RELAY_LIMITS.tailBytes) }),
		result: z.object({ base64: z.string(), offset: countField }),
	},
	"forget-guest": { params: z.object({ guest: uuidField }), result: nothing },
	"loop-delay": {
		params: z.object({ forMs: timeoutField }),
		result: z.object({ medianMs: z.number(), p99Ms: z.number(), mostMs: z.number() }),
	},
	list: { params: z.object({ guest: uuidField.optional() }), result: z.object(holdings) },
};

/** The checks behind RelayNotifications. */
export const RELAY_NOTIFICATIONS: {
	readonly [N in RelayNotificationName]: z.ZodType<RelayNotifications[N]>;
} = {
	"console-ended": z.object({ ...consoleName, domid: domIdField, reason: z.string() }),
	"channel-ended": z.object({ ...channelName, domid: domIdField, reason: z.string() }),
	"qmp-event": z.object({
		guest: uuidField,
		event: z.string(),
		data: z.unknown().optional(),
		timestamp: z.number().optional(),
	}),
	"qmp-ended": z.object({ guest: uuidField, domid: domIdField, reason: z.string() }),
};
