import type { CommandContext } from "../command-context.ts";

/** Runs a command's body with its context; the body may answer an exit code. */
export type StartCommand = (body: (context: CommandContext) => Promise<unknown>) => Promise<void>;
