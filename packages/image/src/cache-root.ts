import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** Where everything that can be rebuilt lives: `$XDG_CACHE_HOME/bulkhead`, by default `~/.cache/bulkhead`. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
	// The XDG base directory specification demands that relative values be ignored.
	const base = env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME) ? env.XDG_CACHE_HOME : join(homedir(), ".cache");
	return join(base, "bulkhead");
}
