export { FakeXenstored } from "./fake-xenstored.ts";
