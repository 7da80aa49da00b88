export { RfbViewer, type RfbViewerOptions, ViewerRefusedError } from "./rfb-viewer.ts";
