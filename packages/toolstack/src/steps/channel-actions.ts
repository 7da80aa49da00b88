import { closeListener, holdListener } from "../channels/channel-listener.ts";
import { writeChannels } from "../channels/channel-nodes.ts";
import { numberedChannels, placeChannels } from "../channels/place-channels.ts";
import type { ToolstackContext } from "../context.ts";
import type { StepActions } from "../executor.ts";
import { domidOf } from "../runtime.ts";
import type { CreateStep } from "../steps.ts";

const QUICK_MS = 20_000;

type ChannelStep = Extract<CreateStep, { name: "open-listener" | "publish-channels" }>;

/** How channels come to a guest that starts. Undone with its other devices and rings. */
export const channelActions: StepActions<ChannelStep, ToolstackContext> = {
	"open-listener": {
		title: ({ channel }) => `Listening for channel ${channel.name}`,
		timeoutMs: QUICK_MS,
		async run({ channel }, context) {
			await holdListener(context, channel);
		},
		undo: ({ channel }, context) => closeListener(context, channel),
	},

	"publish-channels": {
		title: ({ channels }) => `Attaching ${channels.map(({ name }) => `channel ${name}`).join(", ")}`,
		timeoutMs: QUICK_MS,
		async run({ channels }, { runtime, xenstore, saveRuntime }) {
			runtime.channels = placeChannels(channels);
			await saveRuntime();
			const domid = domidOf(runtime, "guest");
			await xenstore.transaction((tx) => writeChannels(tx, domid, numberedChannels(channels, runtime)));
		},
	},
};
