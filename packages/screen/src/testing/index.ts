export { FakeScreen, type FakeScreenOptions } from "./fake-screen.ts";
