import type { CommandContext } from "../command-context.ts";
import { safeText } from "../output/safe-text.ts";

export async function dmesg(context: CommandContext): Promise<void> {
	const text = await context.client.dmesg();
	if (context.json) context.printJson({ dmesg: text });
	else context.print(safeText(text.replace(/\n+$/, "")));
}
