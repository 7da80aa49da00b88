import type { ContractHost, ContractRow, OpenContractHost } from "./contract-host.ts";

/** Sentences and what proves them; each runs on a host of its own. */
export type RowTable = Record<string, (host: ContractHost) => Promise<void>>;

export function rows(area: string, open: OpenContractHost, table: RowTable): ContractRow[] {
	return Object.entries(table).map(([sentence, prove]) => ({
		name: `${area}: ${sentence}`,
		run: async () => {
			const host = await open();
			try {
				await prove(host);
			} finally {
				await host.close();
			}
		},
	}));
}
