#!/usr/bin/env node
import { processIo } from "./cli-io.ts";
import { runCli } from "./run-cli.ts";

// A reader that has gone (`bulkhead list | head -1`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
	if (error.code !== "EPIPE") throw error;
	process.exit(0);
});

process.exitCode = await runCli(process.argv.slice(2), processIo());
