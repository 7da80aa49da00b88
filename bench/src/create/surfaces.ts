import type { CreateGuestRequest } from "@bulkhead/api/client";
import type { Attempt } from "../dom0/protocol.ts";

/** What a person or a program starts a guest with. */
export const SURFACES = ["xl", "bulkhead", "bulkhead-api"] as const;
export type Surface = (typeof SURFACES)[number];

export interface PlacedConfig {
	name: string;
	/** In dom0. */
	file: string;
	text: string;
}

export function createBy(surface: Surface, { file, text }: PlacedConfig): Attempt<CreateGuestRequest> {
	if (surface !== "bulkhead-api") return { argv: [surface, "create", file] };
	const request = { configText: text, file, baseDir: "/", overrides: [], paused: false, dryRun: false };
	return { request };
}

export function destroyBy(surface: Surface, { name }: Pick<PlacedConfig, "name">): Attempt<string> {
	return surface === "bulkhead-api" ? { request: name } : { argv: [surface, "destroy", name] };
}
