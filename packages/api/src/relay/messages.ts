import type { SerializedError } from "@bulkhead/base";
import * as z from "zod";
import { errorField } from "./fields.ts";

/**
 * The lines of the control protocol, JSON each:
 * `{"id":1,"method":"hello","params":{}}` → `{"id":1,"result":{…}}` or `{"id":1,"error":{…}}`, and
 * `{"notification":"qmp-event","params":{…}}` unasked. Method and parameters are checked in a second step, so that an
 * unknown method can be answered; a line that is none of these ends the connection.
 */
export interface RequestLine {
	id: number;
	method: string;
	params?: unknown;
}

export type ServerLine =
	| { id: number; result?: unknown }
	| { id: number; error: SerializedError }
	| { notification: string; params?: unknown };

export const requestLine: z.ZodType<RequestLine> = z.strictObject({
	id: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
	method: z.string().max(64),
	params: z.unknown().optional(),
});

export const serverLine: z.ZodType<ServerLine> = z.union([
	z.strictObject({ id: z.number().int(), error: errorField }),
	z.strictObject({ notification: z.string(), params: z.unknown().optional() }),
	z.strictObject({ id: z.number().int(), result: z.unknown().optional() }),
]);
