export type { CliIo, TerminalInput, TerminalOutput } from "./cli-io.ts";
export { EXIT_CODES, exitCodeOf } from "./exit-codes.ts";
export { runCli } from "./run-cli.ts";
