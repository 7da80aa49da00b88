import { BulkheadError, InvalidInputError, printable } from "@bulkhead/base";
import type { Context } from "hono";
import type { ZodType } from "zod";

/** A request's body, checked. @throws InvalidInputError `bad-request` */
export async function readBody<T>(context: Context, schema: ZodType<T>): Promise<T> {
	const body: unknown = await context.req.json().catch((cause: unknown) => {
		throw new BulkheadError("bad-request", "The request's body is not JSON", { cause });
	});
	const parsed = schema.safeParse(body);
	if (parsed.success) return parsed.data;
	const issue = parsed.error.issues[0];
	const place = issue?.path.join(".") ?? "";
	throw new InvalidInputError(
		`The request's field ${place} is wrong: ${printable(issue?.message ?? "")}`,
		{},
		"bad-request",
	);
}
