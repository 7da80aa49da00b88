import {
	type DomId,
	domId,
	type EvtchnPort,
	evtchnPort,
	type GrantRef,
	grantRef,
	type SerializedError,
	type Uuid,
	uuid,
} from "@bulkhead/base";
import * as z from "zod";

/** One of base's parsing constructors as a schema, so that a number has one definition of valid. */
function parsedBy<In, Out>(input: z.ZodType<In>, parse: (value: In) => Out): z.ZodType<Out> {
	return input.transform((value, context): Out => {
		try {
			return parse(value);
		} catch (error) {
			context.addIssue({ code: "custom", message: error instanceof Error ? error.message : "Invalid" });
			return z.NEVER;
		}
	});
}

export const domIdField: z.ZodType<DomId> = parsedBy(z.number(), domId);
export const grantRefField: z.ZodType<GrantRef> = parsedBy(z.number(), grantRef);
export const evtchnPortField: z.ZodType<EvtchnPort> = parsedBy(z.number(), evtchnPort);
export const uuidField: z.ZodType<Uuid> = parsedBy(z.string().max(36), uuid);

/** Names a console of a guest in paths and requests: `serial0`, `stub`, `console`. */
export const CONSOLE_LABEL: RegExp = /^[a-z][a-z0-9-]{0,31}$/;
export const labelField: z.ZodType<string> = z.string().regex(CONSOLE_LABEL);

/** Names a channel of a guest, as xl.cfg has it. */
export const CHANNEL_NAME: RegExp = /^[A-Za-z0-9_.:@+-]{1,64}$/;
export const channelNameField: z.ZodType<string> = z.string().regex(CHANNEL_NAME);

/** Deadlines in requests: 1 ms … 10 min. */
export const timeoutField: z.ZodType<number> = z.number().int().min(1).max(600_000);
export const countField: z.ZodType<number> = z.number().int().min(0);

export const errorField: z.ZodType<SerializedError> = z.lazy(() =>
	z.object({
		code: z.string(),
		message: z.string(),
		remedy: z.string().optional(),
		fields: z.record(z.string(), z.unknown()).optional(),
		cause: errorField.optional(),
	}),
);
