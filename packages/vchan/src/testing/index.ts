export { FakeDomain } from "./fake-domain.ts";
export { FakeXen } from "./fake-xen.ts";
