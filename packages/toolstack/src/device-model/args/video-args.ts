import type { GuestConfig } from "@bulkhead/xlcfg";

/** The graphics card with its memory in MiB; qxl has half of it for each of its two parts. */
export function videoArgs({ vga, videoMemoryKiB }: GuestConfig): string[] {
	const memory = Math.floor(videoMemoryKiB / 1024);
	switch (vga) {
		case "none":
			return [];
		case "stdvga":
			return ["-device", `VGA,vgamem_mb=${memory}`];
		case "cirrus":
			return ["-device", `cirrus-vga,vgamem_mb=${memory}`];
		case "qxl": {
			const half = Math.floor(memory / 2);
			return ["-device", `qxl-vga,vram_size_mb=${half},ram_size_mb=${half}`];
		}
	}
}
