export { decodePng } from "./decode-png.ts";
export { FakeScreen, type FakeScreenOptions } from "./fake-screen.ts";
