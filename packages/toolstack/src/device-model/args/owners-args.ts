import { wholeArgument } from "./option-text.ts";

/** What the guest's owner gives to QEMU word for word (device_model_args and the like). */
export const ownersArgs = (args: readonly string[] = []): string[] =>
	args.map((argument) => wholeArgument("device model's argument", argument));
