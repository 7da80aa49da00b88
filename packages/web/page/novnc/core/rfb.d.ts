/** As much of noVNC 1.7's RFB as the page uses (its docs/API.md). The code itself comes from the package, unmodified. */
export default class RFB extends EventTarget {
	constructor(target: HTMLElement, channel: WebSocket, options?: { shared?: boolean });
	viewOnly: boolean;
	scaleViewport: boolean;
	focusOnClick: boolean;
	background: string;
	showDotCursor: boolean;
	qualityLevel: number;
	disconnect(): void;
	focus(options?: FocusOptions): void;
	blur(): void;
	sendCtrlAltDel(): void;
	/** Pressed and let go when `down` is absent. */
	sendKey(keysym: number, code: string, down?: boolean): void;
	clipboardPasteFrom(text: string): void;
}
