#!/usr/bin/env node
import { processIo } from "./cli-io.ts";
import { runCli } from "./run-cli.ts";

// A reader that has gone (`bulkhead list | head -1`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
	if (error.code !== "EPIPE") throw error;
	process.exit(0);
});

// Not awaited at the top level: the installed program is CommonJS, which starts sooner.
void runCli(process.argv.slice(2), processIo()).then((code) => {
	process.exitCode = code;
});
