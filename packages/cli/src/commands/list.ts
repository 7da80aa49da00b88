import type { Guest, GuestDetails } from "@bulkhead/api/client";
import { printable } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";
import { guestSheet } from "../output/guest-sheet.ts";
import { guestTable } from "../output/guest-table.ts";

export async function list(
	context: CommandContext,
	refs: readonly string[],
	{ long = false, names = false }: { long?: boolean; names?: boolean },
): Promise<void> {
	if (long) {
		const sheets = await details(context, refs);
		if (context.json) context.printJson(sheets);
		else for (const sheet of sheets) context.print(guestSheet(sheet));
		return;
	}
	const guests: Guest[] = refs.length === 0 ? await context.client.guests() : await details(context, refs);
	if (context.json) context.printJson(guests);
	else if (names) for (const { name } of guests) context.print(printable(name));
	else context.print(guestTable(guests));
}

async function details({ client }: CommandContext, refs: readonly string[]): Promise<GuestDetails[]> {
	const wanted = refs.length > 0 ? refs : (await client.guests()).map(({ uuid }) => uuid);
	return Promise.all(wanted.map((ref) => client.guest(ref)));
}
